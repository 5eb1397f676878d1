"""The `figures` command: the pictures of all examples, one sheet of them, and a table."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from launcher import checks
from launcher.base_folder import fresh_base
from launcher.demo import make_pictures
from launcher.host import Host
from launcher.paths import REPO
from launcher.process import say
from launcher.server import start_server
from launcher.workflow_file import read_workflow

API = REPO / "workflows" / "api"
# end the names of the variants that want model files
OTHER_MODELS = ("_checkpoint", "_flux", "_zimage", "_qwen")


def run_figures(host: Host, options: argparse.Namespace) -> int:
    """Run the demo variants of all examples and measure the controls; return 0 at the end."""
    started = time.monotonic()
    folder: Path = options.output.absolute()
    pictures = folder / "figures"  # apart from those of `demo`, which are nobody's to replace
    pictures.mkdir(parents=True, exist_ok=True)
    # a picture that is kept in memory is not saved again after `empty`
    again = ["--cache-none"]
    with fresh_base() as base, start_server(host, base, name="figures", arguments=again) as server:
        for file in demo_variants():
            say(f"{file.stem}:")
            empty(base / "output")  # where the server would number on from picture to picture
            target = pictures / file.stem
            for path in make_pictures(host, server, read_workflow(file), target, replace=True):
                say(f"  {path}")
    status = checks.run_module(host, "demo.examples.figures", [str(folder)])
    if options.collages:
        measure = ["controls", "--collages", str(options.collages), "--steps", "12", "--cfg", "2"]
        where = ["--output", str(folder / "evaluate")]
        status = status or checks.run_module(host, "demo.evaluate", [*measure, *where])
    if options.keep:
        status = status or checks.run_module(host, "demo.examples", ["--pictures"])
    say(f"Done in {time.monotonic() - started:.0f} s.")
    return status


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def demo_variants() -> list[Path]:
    """The examples' workflows for the demo model, in API form."""
    return sorted(file for file in API.glob("*.json") if not file.stem.endswith(OTHER_MODELS))
