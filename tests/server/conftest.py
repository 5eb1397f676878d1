"""Scripts beside the example workflows, started on the session's server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from zlib import crc32

import pytest

from launcher.server import Server

WORKFLOWS = Path(__file__).parents[2] / "workflows"


@pytest.fixture
def quick(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The example with three steps; a seed of the test's own, or the server's cache answers."""
    prompt = json.loads((WORKFLOWS / "api" / "bento_box.json").read_text())
    sampler = next(n for n in prompt.values() if n["class_type"] == "PerLayerNoiseKSampler")
    sampler["inputs"] |= {"steps": 3, "seed": crc32(request.node.name.encode())}
    file = tmp_path / "quick.json"
    file.write_text(json.dumps(prompt))
    return file


@pytest.fixture
def run(server: Server, quick: Path, tmp_path: Path):
    """Start a script on the session's server, in a folder of its own; what it said."""

    def start(script: str, *arguments: str, url: str = server.url) -> subprocess.CompletedProcess:
        command = [sys.executable, str(WORKFLOWS / script), url, *arguments]
        command += ["--workflow", str(quick)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return start
