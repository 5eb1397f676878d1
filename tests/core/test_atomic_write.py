"""Files that a kill at any moment leaves whole."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from collage_core.storage.atomic_write import first_writable, sweep, write_whole, writing

REPO = Path(__file__).absolute().parents[2]

# Ends as by kill -9, with no clean-up, at the moment given: os._exit runs no handler either.
KILLED = """
import os, pathlib, sys
sys.path.insert(0, {repo!r})
from collage_core.storage import atomic_write as whole_file
owner, name = {{"fsync": (os, "fsync"), "replace": (pathlib.Path, "replace"),
               "link": (pathlib.Path, "hardlink_to")}}[sys.argv[2]]
setattr(owner, name, lambda *_: os._exit(9))
whole_file.write_whole(pathlib.Path(sys.argv[1]), b"new" * 10_000, replace=sys.argv[2] != "link")
"""


def write_and_be_killed(path: Path, moment: str) -> None:
    run = [sys.executable, "-c", KILLED.format(repo=str(REPO)), str(path), moment]
    assert subprocess.run(run, check=False).returncode == 9


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_kill_leaves_the_old_file(tmp_path: Path, moment: str):
    path = tmp_path / "a.state"
    path.write_bytes(b"old")
    write_and_be_killed(path, moment)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("moment", ["fsync", "link"])
def test_a_kill_leaves_no_new_file_and_its_litter_is_swept(tmp_path: Path, moment: str):
    path = tmp_path / "a.safetensors"
    write_and_be_killed(path, moment)
    assert not path.exists()
    left = next(tmp_path.glob("*.tmp"))
    sweep(tmp_path)
    assert left.exists(), "it may be of someone who is writing now"
    hour_ago = time.time() - 3700
    os.utime(left, (hour_ago, hour_ago))
    sweep(tmp_path, "b")
    assert left.exists()
    sweep(tmp_path, "a")
    assert not left.exists()


def test_replacing_and_not_replacing(tmp_path: Path):
    path = tmp_path / "a"
    write_whole(path, b"one")
    with pytest.raises(FileExistsError):
        write_whole(path, b"two")
    assert path.read_bytes() == b"one"
    write_whole(path, b"two", replace=True)
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write_whole(tmp_path / "a", b"one")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left.*a'$"):
        write_whole(tmp_path / "a", b"new", replace=True)
    monkeypatch.undo()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_first_folder_that_can_be_written(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    blocked, free = tmp_path / "file" / "embeddings", tmp_path / "new" / "embeddings"
    assert first_writable([blocked, free, tmp_path], "inner") == free
    assert (free / "inner").is_dir()
    with pytest.raises(OSError, match=r"Not a directory|cannot find the path"):
        first_writable([blocked], "inner")
    with pytest.raises(OSError, match="no such folder"):
        first_writable([], "inner")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full here")
def test_a_full_disk_is_no_folder_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    full, free = tmp_path / "full", tmp_path / "free"
    temporary = tempfile.TemporaryFile

    def on_a_disk(dir: Path):  # noqa: A002  as the caller names it
        return open("/dev/full", "wb") if full in (dir, dir.parent) else temporary(dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryFile", on_a_disk)
    assert first_writable([full, free], "inner") == free
    with pytest.raises(OSError, match="No space left"):
        first_writable([full], "inner")


def test_what_fails_on_the_way_leaves_the_old_file(tmp_path: Path):
    write_whole(tmp_path / "a", "t\N{LATIN SMALL LETTER E WITH ACUTE}xt")
    assert (tmp_path / "a").read_bytes() == b"t\xc3\xa9xt"
    with contextlib.suppress(ZeroDivisionError), writing(tmp_path / "a", replace=True) as file:
        file.write(b"half of")
        raise ZeroDivisionError
    assert (tmp_path / "a").read_bytes() == b"t\xc3\xa9xt"
    assert len(list(tmp_path.iterdir())) == 1


# Write without the functions above: what is thrown away, what is added to line by line, what has
# no pack to import from, and what ends in a replacement of its own.
OWN_WAYS = {
    "launcher/gpu.py",
    "launcher/gpu_pack.py",
    "launcher/process.py",
    "workflows/api_in_20_lines.py",
    "workflows/queue_collage.py",
    "workflows/vary_layer.py",
    "demo/bench/checkpoints/random_checkpoint.py",
    "demo/bench/queue.py",
    "demo/bench/inversion/command.py",
    "demo/train/workshop.py",
    "demo/bench/batch/kills.py",
    "demo/bench/batch/measured.py",
    "tools/batch/journal.py",
    "tools/batch/remains.py",
    "launcher/locking.py",
    "collage_core/storage/atomic_write.py",
}
WRITES = re.compile(
    r"\.write_(text|bytes)\(|\bsave_file\(|\bcopyfile\(|open\([^)]*[\"'][wax][b+]*[\"']"
    r"|(?<!made)(?<!workshop)\.savez?\((?!file\b)"
)


def test_every_file_of_ours_is_written_by_these_functions():
    folders = ("collage_core", "nodes", "launcher", "demo", "workflows", "tools")
    files = [path for folder in folders for path in (REPO / folder).glob("**/*.py")]
    found = {
        path.relative_to(REPO).as_posix()
        for path in files
        if WRITES.search(path.read_text(encoding="utf-8"))
    }
    assert found - OWN_WAYS == set()
