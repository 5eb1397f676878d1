"""Scripts on ComfyUI's real page, in a real browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from launcher.server import Server

REPO = Path(__file__).parents[2]
PLAYWRIGHT = REPO / ".host" / "browser"
PICTURES = REPO / "output" / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HERE = CHROMIUM and shutil.which("node") and (PLAYWRIGHT / "node_modules").is_dir()

OnPage = Callable[..., dict[str, Any]]


@pytest.fixture
def on_page(server: Server) -> OnPage:
    """Runs a script of this folder: its name, its picture's, more words; -> what it saw."""
    if not HERE:
        pytest.skip("no Chromium or playwright-core here; .ci/browser installs both")
    PICTURES.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "CHROMIUM": str(CHROMIUM), "PLAYWRIGHT_FROM": str(PLAYWRIGHT)}

    def run(script: str, picture: str, *words: str) -> dict[str, Any]:
        path = Path(__file__).with_name(script)
        command = ["node", str(path), server.url, str(PICTURES / picture), *words]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=500, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A photo of a table, and cut-outs of a mug with empty corners and of a lemon."""
    folder = tmp_path_factory.mktemp("pictures")
    table = Image.linear_gradient("L").resize((1600, 1000)).convert("RGB")
    table.save(folder / "table.jpg")
    mug = Image.new("RGBA", (900, 700))
    ImageDraw.Draw(mug).rounded_rectangle((120, 120, 780, 640), 60, fill="#285aaa")
    mug.save(folder / "mug.png")
    lemon = Image.new("RGBA", (420, 380))
    ImageDraw.Draw(lemon).ellipse((20, 40, 400, 340), fill="#f5d232")
    lemon.save(folder / "lemon.png")
    return str(folder)
