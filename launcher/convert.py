"""The `convert-embedding` command, run by the host's Python, because it needs torch."""

from __future__ import annotations

from pathlib import Path

from launcher import checks
from launcher.failure import LauncherError
from launcher.host import find_host


def convert_embedding(comfyui: str | None, file: Path, output: Path | None) -> int:
    """Convert one file and return 0; a missing file is refused before anything is set up."""
    if not file.is_file():
        raise LauncherError(f"There is no file {file}; give the .pt, .bin or .ckpt to convert.")
    arguments = [str(file.absolute())]
    if output is not None:
        arguments += ["--output", str(output.absolute())]
    return checks.run_module(find_host(comfyui), "tools.convert_embedding", arguments)
