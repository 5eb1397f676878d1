"""What is done, after a process was killed at any moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.batch.jobs import KEY_LETTERS, NAME_BYTES
from tools.batch.journal import NAME, Entry, Journal, picture_names, write_pictures
from tools.batch.remains import claim, sweep

ONE = Entry("k1", "a-k1", ("a-k1.png",), 1.5, "w-1", ("late, “ü”",))
TWO = Entry("k2", "k2", (), 2.0, "w-2", (), "The sampler failed.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    journal = Journal(tmp_path)
    (tmp_path / "a-k1.png").write_bytes(b"picture")
    journal.add(ONE)
    journal.add(TWO)
    journal.close()
    return tmp_path


def test_what_was_done_is_known_again(folder: Path) -> None:
    journal = Journal(folder)
    assert [*journal.entries.values()] == [ONE, TWO]
    assert journal.done("a-k1") == ONE == journal.same("k1")
    assert journal.done("k2") is None is journal.same("k2")
    (folder / "a-k1.png").unlink()
    assert journal.done("a-k1") is None is journal.same("k1")


def test_a_line_cut_at_any_byte_costs_that_line_alone(folder: Path) -> None:
    whole = (folder / NAME).read_bytes()
    end_of_first = whole.index(b"\n")
    for length in range(len(whole)):
        (folder / NAME).write_bytes(whole[:length])
        journal = Journal(folder)
        known = [*journal.entries.values()]
        complete = [
            entry for entry, end in ((ONE, end_of_first), (TWO, len(whole) - 1)) if length >= end
        ]
        assert known == complete
        journal.add(Entry("k3", "k3"))
        journal.close()
        assert [*Journal(folder).entries.values()] == [*complete, Entry("k3", "k3")]


def test_pictures_have_the_name_of_their_job(tmp_path: Path) -> None:
    one = [("collage_result", ".png", b"1")]
    assert write_pictures(tmp_path, "mug-k", one) == ("mug-k.png",)
    several = [("composite", ".png", b"1"), ("result", ".png", b"2"), ("result", ".png", b"3")]
    names = write_pictures(tmp_path, "k", several)
    assert names == ("k_composite.png", "k_result.png", "k_result_2.png")
    assert [(tmp_path / name).read_bytes() for name in names] == [b"1", b"2", b"3"]
    assert picture_names("k", [("a", ".png"), ("a", ".collage.zip")])[1] == "k_a_2.collage.zip"


def test_long_words_for_pictures_leave_names_that_a_file_can_have(tmp_path: Path) -> None:
    stem = f"{'m' * NAME_BYTES}-{'0' * KEY_LETTERS}"
    pictures = [("寿" * 80, ".collage.zip", b"1"), ("寿" * 81, ".collage.zip", b"2")]
    names = write_pictures(tmp_path, stem, pictures)
    assert [(tmp_path / name).read_bytes() for name in names] == [b"1", b"2"]


@pytest.mark.skipif(os.name == "nt", reason="no process is asked for there")
def test_only_folders_of_ended_processes_are_swept(tmp_path: Path) -> None:
    for name in ("own", "gone", "others"):
        (tmp_path / name).mkdir()
    claim(tmp_path / "own")
    claim(tmp_path / "gone")
    child = os.fork()
    if child == 0:
        claim(tmp_path / "gone")
        os._exit(0)
    os.waitpid(child, 0)
    sweep(tmp_path.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["others", "own"]
