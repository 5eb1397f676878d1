"""A node and its help on ComfyUI's real page, in the languages that the pack speaks."""

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
NODE = "CollageEdit"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and shutil.which("node") and (PLAYWRIGHT / "node_modules").is_dir()),
        reason="no Chromium or playwright-core here; .ci/run installs both",
    ),
]


@pytest.mark.parametrize(("browser", "language"), [("en-US", "en"), ("zh-CN", "zh")])
def test_a_node_and_its_help_speak_the_language_of_the_page(
    server: Server, browser: str, language: str
) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"help_{language}.png"
    env = {**os.environ, "CHROMIUM": str(CHROMIUM), "PLAYWRIGHT_FROM": str(PLAYWRIGHT)}
    script = Path(__file__).with_name("help.mjs")
    command = ["node", str(script), server.url, str(picture), browser, NODE]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=500, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    seen = json.loads(run.stdout.splitlines()[-1])
    names = json.loads((REPO / "locales" / language / "nodeDefs.json").read_text("utf-8"))[NODE]
    assert seen["title"] == seen["heading"] == names["display_name"]
    for slot, label in (seen["widgets"] | seen["inputs"]).items():
        assert label == names["inputs"][slot]["name"], slot
    assert list(seen["outputs"].values()) == [out["name"] for out in names["outputs"].values()]
    assert seen["kinds"]["noise"] == "slider"
    assert seen["picture"] > 0, "the help has no picture"
