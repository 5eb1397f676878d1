"""Node.js, which runs the page's own modules without a page."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

OLDEST_NODE = 20  # with toSpliced and isWellFormed


@pytest.fixture(scope="module")
def node() -> str:
    path = shutil.which("node")
    if path is None:
        pytest.skip("no Node.js here")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.findall(r"\d+", said)[0]) < OLDEST_NODE:
        pytest.skip(f"Node.js here is {said.strip()}, older than {OLDEST_NODE}")
    return path
