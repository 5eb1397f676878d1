"""The folder a server works in: whose is what, and what a full disk or a second server leaves."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher import base_folder
from launcher.failure import LauncherError

EXAMPLE = b"a picture of some length"


def test_the_base_folder_has_the_pack_and_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_folder, "HOST_DIR", tmp_path)
    with base_folder.fresh_base() as base:
        assert (base / "custom_nodes" / "collage-diffusion" / "pyproject.toml").is_file()
        assert (base / "models" / "checkpoints").is_dir()
        for source, names, folder in base_folder.EXAMPLES:
            files = {file.name for file in source.glob(names)}
            assert files
            assert files <= {file.name for file in (base / folder).iterdir()}
    assert not base.exists()
    assert (base_folder.REPO / "pyproject.toml").is_file()  # the link went, not what it led to


def test_the_pack_is_copied_where_links_are_not_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = tmp_path / "pack"
    (pack / ".host" / "venv").mkdir(parents=True)
    (pack / "__init__.py").write_text("new = True\n")
    monkeypatch.setattr(base_folder, "REPO", pack)
    monkeypatch.setattr(Path, "symlink_to", lambda *_, **__: (_ for _ in ()).throw(OSError(1314)))
    copy = tmp_path / "base" / "custom_nodes" / "collage-diffusion"
    for text in ("new = True\n", "newer = True\n"):
        (pack / "__init__.py").write_text(text)
        base_folder.prepare_base(tmp_path / "base")
        assert (copy / "__init__.py").read_text() == text
    assert not (copy / ".host").exists()


def test_examples_are_renewed_but_a_user_s_picture_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples, folder = tmp_path / "examples", tmp_path / "input"
    examples.mkdir()
    folder.mkdir()
    for name in ("collage_a.png", "collage_b.png"):
        (examples / name).write_bytes(b"first")
    base_folder.copy_examples(examples, folder)
    (folder / "collage_b.png").write_bytes(b"the user's")
    for name in ("collage_a.png", "collage_b.png"):
        (examples / name).write_bytes(b"second")
    base_folder.copy_examples(examples, folder)
    assert (folder / "collage_a.png").read_bytes() == b"second"
    assert (folder / "collage_b.png").read_bytes() == b"the user's"
    assert "collage_b.png differs" in capsys.readouterr().out


def test_a_folder_that_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    own = tmp_path / "custom_nodes" / "collage-diffusion"
    own.mkdir(parents=True)
    (own / "mine.txt").write_text("mine")
    with pytest.raises(LauncherError, match=r"custom_nodes.collage-diffusion is in the way.*move"):
        base_folder.prepare_base(tmp_path)
    assert (own / "mine.txt").read_text() == "mine"


def test_a_file_in_the_way_is_told_and_a_stale_link_is_renewed(tmp_path: Path) -> None:
    place = tmp_path / "custom_nodes" / "collage-diffusion"
    place.parent.mkdir()
    place.write_text("mine")
    with pytest.raises(LauncherError, match="in the way"):
        base_folder.prepare_base(tmp_path)
    place.unlink()
    place.symlink_to(tmp_path / "gone")
    base_folder.prepare_base(tmp_path)
    assert place.resolve() == base_folder.REPO


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    folder = tmp_path / "examples"
    folder.mkdir()
    (tmp_path / "input").mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(EXAMPLE + name.encode())
    return folder


@pytest.mark.parametrize("note", ["", "{", "[1]", '{"a.png": "torn', "[" * 10**5, "\0", None])
def test_a_damaged_note_is_made_anew(examples: Path, note: str | None) -> None:
    folder = examples.with_name("input")
    file = folder / ".collage_examples.json"
    if note is not None:
        file.write_text(note)
    (folder / "b.png").write_bytes(b"the user's")
    base_folder.copy_examples(examples, folder)
    assert (folder / "a.png").read_bytes() == EXAMPLE + b"a.png"
    assert (folder / "b.png").read_bytes() == b"the user's"
    assert json.loads(file.read_text()).keys() == {"a.png"}


@pytest.mark.parametrize("size", [0, 1, len(EXAMPLE)])
def test_a_torn_example_is_nobody_s_and_is_renewed(examples: Path, size: int) -> None:
    folder = examples.with_name("input")
    (folder / "a.png").write_bytes(EXAMPLE[:size])
    base_folder.copy_examples(examples, folder)
    assert (folder / "a.png").read_bytes() == EXAMPLE + b"a.png"


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_disk_that_gets_full_leaves_what_was_there(
    examples: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    folder = examples.with_name("input")
    (folder / "a.png").write_bytes(EXAMPLE[:3])
    done = []

    def full(_handle: int) -> None:
        done.append(1)
        if len(done) > 2 * writes:  # of the file and of its folder
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        base_folder.copy_examples(examples, folder)
    monkeypatch.undo()
    whole = {EXAMPLE[:3], EXAMPLE + b"a.png", EXAMPLE + b"b.png"}
    assert {file.read_bytes() for file in folder.glob("*.png")} <= whole
    base_folder.copy_examples(examples, folder)
    assert [file.read_bytes() for file in sorted(folder.glob("*.png"))] == [
        EXAMPLE + b"a.png",
        EXAMPLE + b"b.png",
    ]
    assert len(list(folder.iterdir())) == 3


HOLDS = """
import sys
from pathlib import Path
from launcher.base_folder import own_output
with own_output(Path(sys.argv[1])) as output:
    print(output.name, flush=True)
    sys.stdin.read()
"""


def test_every_server_saves_into_a_folder_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", HOLDS, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as first, base_folder.own_output(tmp_path) as second:
        assert first.stdout
        assert {first.stdout.readline(), f"{second.name}\n"} == {"output\n", "output_2\n"}
        with base_folder.own_output(tmp_path) as third:
            assert third.name == "output_3"
        first.kill()  # which leaves its lock file
        first.wait()
        with base_folder.own_output(tmp_path) as again:
            assert again.name in ("output", "output_2")
            assert again != second
    assert not list(tmp_path.glob(".*.lock"))
