"""Scripts on ComfyUI's real page, in a real browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from PIL import Image, ImageDraw

from launcher.server import Server

REPO = Path(__file__).parents[2]
PLAYWRIGHT = REPO / ".host" / "browser"
PICTURES = REPO / "output" / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HERE = CHROMIUM and shutil.which("node") and (PLAYWRIGHT / "node_modules").is_dir()

LONGEST = 500  # seconds of a script

OnPage = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def on_page(server: Server) -> OnPage:
    """Runs a script of this folder: its name, its picture's, more words; -> what it saw.

    One goes on with the page of the one before it, for loading it costs more than most of what they
    do there; one that fails closes it.
    """
    if not HERE:
        pytest.skip("no Chromium or playwright-core here; .ci/browser installs both")
    PICTURES.mkdir(parents=True, exist_ok=True)

    def run(script: str, picture: str, *words: str) -> dict[str, Any]:
        if not started or started[-1].ended:
            started.append(Scripts())
        return started[-1].run(script, server.url, str(PICTURES / picture), *words)

    return run


started: list[Scripts] = []


def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the scripts after the last test of this folder: an open page takes a sixth of a core."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        while started:
            started.pop().end()


class Scripts:
    """Node.js with scripts.mjs, until `end`; what it complains about, pytest captures."""

    def __init__(self) -> None:
        env = {**os.environ, "CHROMIUM": str(CHROMIUM), "PLAYWRIGHT_FROM": str(PLAYWRIGHT)}
        command = ["node", str(Path(__file__).with_name("scripts.mjs"))]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, env=env, stdin=pipe, stdout=pipe, encoding="utf-8"
        )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def run(self, *words: str) -> dict[str, Any]:
        given, told = self._process.stdin, self._process.stdout
        assert given
        assert told
        limit = Timer(LONGEST, self._process.kill)
        limit.start()
        try:
            print(json.dumps(words), file=given, flush=True)
            line = told.readline()
        except BaseException:  # such as Ctrl-C: it is not waited for
            self._process.kill()
            raise
        finally:
            limit.cancel()
        if not line:
            self._process.wait()
            pytest.fail(f"Node.js has ended with status {self._process.returncode}")
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["seen"]

    def end(self) -> None:
        self._process.communicate()  # its input ends, and so does it


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
