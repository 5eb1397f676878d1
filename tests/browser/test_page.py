"""The example on ComfyUI's real page, in a real browser, in both looks of the page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from launcher.server import Server

REPO = Path(__file__).parents[2]
PLAYWRIGHT = REPO / ".host" / "browser"
PICTURES = REPO / "output" / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and shutil.which("node") and (PLAYWRIGHT / "node_modules").is_dir()),
        reason="no Chromium or playwright-core here; .ci/run installs both",
    ),
]


@pytest.mark.parametrize("look", ["classic", "nodes2"])
def test_the_example_opens_from_the_templates_and_runs(server: Server, look: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"bento_box_{look}.png"
    env = {**os.environ, "CHROMIUM": str(CHROMIUM), "PLAYWRIGHT_FROM": str(PLAYWRIGHT)}
    command = ["node", str(Path(__file__).with_name("page.mjs")), server.url, str(picture), look]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=500, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    seen = json.loads(run.stdout.splitlines()[-1])
    assert seen["outcome"] == "success"
    assert seen["thumbnail"] > 0, "the template has no thumbnail"
    assert seen["missing"] == 0
    assert seen["foreign"] == [], "the page asked for something outside the server"
    script = json.loads((REPO / "workflows" / "api" / "bento_box.json").read_text())
    stack = next(n for n in seen["prompt"].values() if n["class_type"] == "CollageStack")
    wanted = next(n for n in script.values() if n["class_type"] == "CollageStack")
    assert stack["inputs"].keys() >= wanted["inputs"].keys()
