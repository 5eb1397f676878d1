"""The folder a server works in: its own models, input, output, and the pack in custom_nodes."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from collage_core.storage.atomic_write import sweep, write_whole
from launcher.failure import LauncherError
from launcher.locking import TakenError, exclusive, exclusive_now
from launcher.paths import HOST_DIR, REPO
from launcher.process import say

PACK_NAME = "collage-diffusion"
# of the examples: where they lie, which files, and where ComfyUI looks for them
EXAMPLES = (
    (REPO / "workflows" / "input", "*.png", "input"),
    (REPO / "demo" / "weights", "demo_lora_*.safetensors", "models/loras"),
)
STALE_SECONDS = 24 * 3600
_FOLDERS = ("custom_nodes", "models/checkpoints", "models/loras", "input", "output", "temp", "user")
_NOT_PART_OF_THE_PACK = (".host", ".git", "output", "__pycache__")
_COPIED = ".copied_by_run_py"  # marks a copy of the pack as ours, to be renewed or removed


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
    """Make the folders ComfyUI expects, with the pack and the files of examples in place."""
    for name in _FOLDERS:
        (base / name).mkdir(parents=True, exist_ok=True)
    with exclusive(base / ".preparing.lock", f"preparing {base}"):
        _place_pack(base / "custom_nodes" / PACK_NAME)
        for source, names, folder in EXAMPLES:
            copy_examples(source, base / folder, names)
    return base


@contextlib.contextmanager
def own_output(base: Path) -> Iterator[Path]:
    """Yield an output folder that no other server uses at the same time.

    ComfyUI numbers pictures by the files in the folder, without a lock, so that two servers would
    use the same names. The first server gets `output`, others `output_2` and so on.
    """
    with contextlib.ExitStack() as held:
        folder = base / "output"
        for number in itertools.count(2):
            with contextlib.suppress(TakenError):
                held.enter_context(exclusive_now(base / f".{folder.name}.lock"))
                break
            folder = base / f"output_{number}"
        folder.mkdir(exist_ok=True)
        yield folder


def _place_pack(place: Path) -> None:
    """Make the pack appear as `place`: a link where the system allows it, else a fresh copy.

    Anything else at that place is left alone, with a LauncherError.
    """
    if place.is_symlink():
        if place.resolve() == REPO.resolve():
            return
        place.unlink()
    elif place.exists() and not (place / _COPIED).is_file():
        raise LauncherError(
            f"{place} is in the way and was not made by run.py; move it elsewhere and run the "
            "command again, which puts a link to this pack there."
        )
    shutil.rmtree(place, ignore_errors=True)  # an earlier copy of ours
    try:
        place.symlink_to(REPO, target_is_directory=True)
    except (OSError, NotImplementedError):
        _copy_pack(place)


def _copy_pack(place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent.parent / "temp") as temporary:
        copy = Path(temporary) / PACK_NAME
        shutil.copytree(REPO, copy, ignore=shutil.ignore_patterns(*_NOT_PART_OF_THE_PACK))
        (copy / _COPIED).touch()
        os.replace(copy, place)


def copy_examples(source: Path, folder: Path, names: str = "*.png") -> None:
    """Copy the examples' files into a folder of ComfyUI, keeping a file the user changed.

    A note in the folder lists the digests of copied files: a file that still matches may be
    renewed. An incomplete copy, as a full disk leaves it, is replaced.
    """
    sweep(folder)
    note = folder / ".collage_examples.json"
    known = _read_note(note)
    copied = dict(known)
    for file in sorted(source.glob(names)):
        target = folder / file.name
        data = file.read_bytes()
        wanted = _digest(data)
        present = target.read_bytes() if target.is_file() else b""
        if data.startswith(present) or _digest(present) == copied.get(file.name):
            if present != data:
                write_whole(target, data, replace=True)
            copied[file.name] = wanted
        else:
            say(f"{target} differs from the example of that name; yours is kept.")
    if copied != known:
        write_whole(note, json.dumps(copied, indent=1), replace=True)


def _read_note(note: Path) -> dict[str, str]:
    """The content of the note; empty if the note is missing or damaged."""
    try:
        said = json.loads(note.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
