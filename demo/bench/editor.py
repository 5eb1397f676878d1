"""`python3 run.py bench editor`: what dragging on Collage Editor's canvas costs, in a real browser.

Collages of discs of 512 pixels, all turned. One disc is dragged about by the mouse and let go,
again and again: frames that are drawn in a second, and milliseconds from letting go until the exact
picture stands on the canvas (80 of them are a pause, in which the next change may come). Chromium
draws by software, as on a machine without a GPU. It wants what .ci/browser installs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from launcher.arguments import at_least
from launcher.base_folder import fresh_base
from launcher.failure import LauncherError
from launcher.host import find_host
from launcher.paths import HOST_DIR
from launcher.server import start_server

SCRIPT = Path(__file__).with_name("editor.mjs")
PLAYWRIGHT = HOST_DIR / "browser"
LOOKS = ("classic", "nodes2")
TIMEOUT = 3600  # seconds


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="run.py bench editor", description=__doc__)
    parser.add_argument("--look", choices=LOOKS, help="of the page's nodes; both without it")
    parser.add_argument("--repetitions", type=at_least(2), default=10, help="drags of a collage")
    parser.add_argument("--seconds", type=at_least(1), default=2, help="that each drag takes")
    options = parser.parse_args(arguments)
    chromium, node = shutil.which("chromium"), shutil.which("node")
    if not (chromium and node and (PLAYWRIGHT / "node_modules").is_dir()):
        raise LauncherError("No Chromium or playwright-core here; .ci/browser installs both.")
    env = {**os.environ, "CHROMIUM": chromium, "PLAYWRIGHT_FROM": str(PLAYWRIGHT)}
    host = find_host(os.environ["COMFYUI_PATH"])
    with fresh_base() as base, start_server(host, base, name="bench-editor") as server:
        for look in (options.look,) if options.look else LOOKS:
            busy = psutil.getloadavg()[0]
            command = [node, SCRIPT, server.url, look]
            command += [str(options.repetitions), str(options.seconds)]
            done = subprocess.run(
                command, env=env, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT, check=True
            )
            found = json.loads(done.stdout.splitlines()[-1])
            print(
                f"Chromium {found['browser']} on {platform.machine()}, software rendering, "
                f"{os.cpu_count()} cores with a load of {busy:.1f}; {look}",
                flush=True,
            )
            for name, drags in found["seen"].items():
                print(describe(name, drags), flush=True)


def describe(name: str, drags: list[dict[str, float]]) -> str:
    """One line of figures for the drags of a collage."""
    frames = [one["frames"] for one in drags]
    settled = [one["settled"] for one in drags]
    return (
        f"{name}: frames a second median {statistics.median(frames):.0f}, worst {min(frames):.0f}; "
        f"exact picture after median {statistics.median(settled):.0f} ms, worst "
        f"{max(settled):.0f} ms ({len(drags)} drags)"
    )
