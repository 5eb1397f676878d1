"""`run.py examples --graph-picture`: the first example's graph on ComfyUI's page after a run."""

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


def make_graph_picture() -> None:
    """Write docs/graph.jpg with the browser that `.ci/browser` installs; needs Node, too."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or not PLAYWRIGHT.is_dir():
        raise SystemExit(
            "--graph-picture needs Chromium and playwright-core; .ci/browser installs both."
        )
    env = {**os.environ, "CHROMIUM": chromium, "PLAYWRIGHT_FROM": str(PLAYWRIGHT)}
    script, workflow = Path(__file__).with_suffix(".mjs"), WORKFLOWS / "bento_box.json"
    host = find_host(os.environ["COMFYUI_PATH"])
    with (
        fresh_base() as base,
        start_server(host, base, name="graph") as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        taken = Path(folder) / "graph.png"
        command = ["node", str(script), server.url, str(taken), str(workflow)]
        subprocess.run(command, env=env, check=True, timeout=1000)
        with Image.open(taken) as picture, writing(DOCS / "graph.jpg", replace=True) as file:
            picture.convert("RGB").save(file, "JPEG", quality=QUALITY)
    print("docs/graph.jpg")
