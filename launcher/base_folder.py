"""The folder a server works in: its own models, input, output, and the pack in custom_nodes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from launcher.paths import HOST_DIR, REPO
from launcher.process import say

PACK_NAME = "collage-diffusion"
EXAMPLE_PICTURES = REPO / "workflows" / "input"
STALE_SECONDS = 24 * 3600
_FOLDERS = ("custom_nodes", "models/checkpoints", "input", "output", "temp", "user")
_NOT_PART_OF_THE_PACK = (".host", ".git", "output", "__pycache__")


@contextlib.contextmanager
def fresh_base() -> Iterator[Path]:
    """Yield a new base folder and remove it afterwards, with all that was written there."""
    runs = HOST_DIR / "run"
    runs.mkdir(parents=True, exist_ok=True)
    for left_over in runs.iterdir():  # of a run that was killed
        if time.time() - left_over.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left_over, ignore_errors=True)
    base = Path(tempfile.mkdtemp(dir=runs))
    try:
        yield prepare_base(base)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def prepare_base(base: Path) -> Path:
    """Make the folders ComfyUI expects, with the pack and the example pictures in place."""
    for name in _FOLDERS:
        (base / name).mkdir(parents=True, exist_ok=True)
    _link_pack(base / "custom_nodes" / PACK_NAME)
    copy_examples(EXAMPLE_PICTURES, base / "input")
    return base


def _link_pack(link: Path) -> None:
    """Make the pack appear as `link`: a link where the system allows it, else a fresh copy."""
    if link.is_symlink():
        if link.resolve() == REPO.resolve():
            return
        link.unlink()
    shutil.rmtree(link, ignore_errors=True)
    try:
        link.symlink_to(REPO, target_is_directory=True)
    except (OSError, NotImplementedError):
        shutil.copytree(REPO, link, ignore=shutil.ignore_patterns(*_NOT_PART_OF_THE_PACK))


def copy_examples(pictures: Path, folder: Path) -> None:
    """Copy the example pictures into ComfyUI's input folder, keeping a file the user changed.

    A note beside them tells which file is still as it was copied and may be renewed.
    """
    note = folder / ".collage_examples.json"
    copied: dict[str, str] = json.loads(note.read_text()) if note.is_file() else {}
    for picture in sorted(pictures.glob("*.png")):
        target = folder / picture.name
        wanted = _digest(picture)
        present = _digest(target) if target.is_file() else None
        if present in (None, wanted, copied.get(picture.name)):
            if present != wanted:
                shutil.copyfile(picture, target)
            copied[picture.name] = wanted
        else:
            say(f"{target} differs from the example of that name; yours is kept.")
    note.write_text(json.dumps(copied, indent=1))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
