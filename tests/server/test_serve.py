"""`run.py serve` from its first line to its last, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from launcher.client import Client
from launcher.server import OUR_NODES, free_port

# As run.py does, but with a folder of the test's own for inputs and outputs.
SERVE = """
import sys
from pathlib import Path
from launcher import cli, serve
serve.HOST_DIR = Path(sys.argv[1])
sys.exit(cli.main(["serve", "--port", sys.argv[2]]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to catch")
def test_serve_says_where_and_stops_cleanly(tmp_path: Path) -> None:
    if not os.environ.get("COMFYUI_PATH"):
        pytest.skip("COMFYUI_PATH is not set; start with: python3 run.py test")
    port = free_port()
    command = [sys.executable, "-P", "-c", SERVE, str(tmp_path), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = next(line for line in process.stdout if line.startswith("Serving"))
            assert said == f"Serving on http://127.0.0.1:{port}\n"
            assert next(process.stdout) == f"Pictures are saved in {tmp_path / 'base' / 'output'}\n"
            url = f"http://127.0.0.1:{port}"
            with urllib.request.urlopen(url) as page:
                assert b"<html" in page.read()
            assert set(OUR_NODES) <= set(Client(url).object_info())
            assert (tmp_path / "base" / "output").is_dir()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)


def test_the_examples_are_in_the_template_browser(client: Client) -> None:
    folder = Path(__file__).parents[2] / "workflows"
    examples = {file.stem for file in folder.glob("*.json")}
    shown = client.get("/workflow_templates").get("collage-diffusion", [])
    assert set(shown) == examples
