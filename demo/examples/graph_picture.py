"""`run.py examples --graph-picture`: the README's two pictures of ComfyUI's page after a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from collage_core.storage.atomic_write import writing
from launcher.base_folder import fresh_base
from launcher.host import find_host
from launcher.server import start_server

from ..pack import ROOT
from .graph import WORKFLOWS
from .pictures import DOCS

PLAYWRIGHT = ROOT / ".host" / "browser"  # where .ci/browser puts playwright-core
QUALITY = 85
# picture of docs/ -> the example, and the node that is shown alone
SHOWN = {"graph": ("bento_box", ""), "editor": ("1_bento_box_editor", "CollageEditor")}


def make_graph_picture() -> None:
    """Write the pictures with the browser that `.ci/browser` installs; needs Node, too."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or not PLAYWRIGHT.is_dir():
        raise SystemExit(
            "--graph-picture needs Chromium and playwright-core; .ci/browser installs both."
        )
    env = {**os.environ, "CHROMIUM": chromium, "PLAYWRIGHT_FROM": str(PLAYWRIGHT)}
    host = find_host(os.environ["COMFYUI_PATH"])
    with (
        fresh_base() as base,
        start_server(host, base, name="graph") as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        for name, (example, node) in SHOWN.items():
            taken = Path(folder) / f"{name}.png"
            _take(env, server.url, str(taken), str(WORKFLOWS / f"{example}.json"), node)
            with Image.open(taken) as picture, writing(DOCS / f"{name}.jpg", replace=True) as file:
                picture.convert("RGB").save(file, "JPEG", quality=QUALITY)
            print(f"docs/{name}.jpg")


def _take(env: dict[str, str], *words: str) -> None:
    script = Path(__file__).with_suffix(".mjs")
    subprocess.run(["node", str(script), *words], env=env, check=True, timeout=1000)
