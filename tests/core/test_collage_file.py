"""The portable file: what it holds, and files that strangers made."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collage_core.errors import CollageError
from collage_core.files import collage_file
from collage_core.files.collage_file import read_collage_file, write_collage_file
from collage_core.files.document import read_document
from collage_core.files.writing import picture_names, renamed, written

REPO = Path(__file__).absolute().parents[2]
PICTURES = [b"not looked at here", b"another"]
NAMES = [f"collage/{hashlib.sha256(data).hexdigest()}.png" for data in PICTURES]
DOCUMENT = {
    "version": 1, "prompt": "a mug", "background_picture": NAMES[1],
    "layers": [{"id": "mug1", "picture": NAMES[0], "text": "mug", "x": 0.25}],
}  # fmt: skip
TEXT = json.dumps(DOCUMENT, indent=2)


def entry(name: str) -> str:
    return name.replace("collage/", "pictures/")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A sound one."""
    path = tmp_path / "mine.collage.zip"
    with open(path, "wb") as to:
        write_collage_file(to, TEXT, zip(NAMES, PICTURES, strict=True), b"preview")
    return path


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """A file of these entries, beside those that belong to it."""

    def make(entries: dict[str, bytes | str], left: str = "", **options: Any) -> Path:
        own = {"collage.json": TEXT, **dict(zip(map(entry, NAMES), PICTURES, strict=True))}
        path = tmp_path / "made.collage.zip"
        with zipfile.ZipFile(path, "w", **options) as archive:
            for name, data in {**own, **entries}.items():
                if name != left:
                    archive.writestr(name, data)
        return path

    return make


def refused(path: Path) -> str:
    with pytest.raises(CollageError) as error:
        list(read_collage_file(path).pictures())
    return str(error.value)


def test_it_holds_the_document_as_it_is_and_its_pictures(file: Path):
    read = read_collage_file(file)
    assert read.document.text == TEXT
    assert dict(read.pictures()) == dict(zip(NAMES, PICTURES, strict=True))
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["collage.json", *map(entry, NAMES), "preview.png"]
        dates = {one.date_time for one in archive.infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}, "the same collage makes another file tomorrow"


def test_a_packed_one_is_read_too(made: Callable[..., Path]):
    assert read_collage_file(made({}, compression=zipfile.ZIP_DEFLATED)).document.text == TEXT


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../evil.png", "holds"), ("/etc/passwd", "holds"), ("pictures/a.png", "holds"),
        ("pictures/../collage.json", "holds"), ("pictures/", "holds"), ("x.pkl", "holds"),
        (entry(NAMES[0]).upper(), "holds"),
    ],
)  # fmt: skip
def test_nothing_else_may_be_in_it(made: Callable[..., Path], name: str, says: str):
    assert f'holds "{name}", which is no part of a collage' in refused(made({name: b"x"}))


def test_a_picture_that_is_missing_or_another_is_refused(made: Callable[..., Path]):
    assert f'lacks its "{entry(NAMES[0])}"' in refused(made({}, left=entry(NAMES[0])))
    assert 'lacks its "collage.json"' in refused(made({}, left="collage.json"))
    with pytest.raises(CollageError, match="lacks its"):  # before any picture is read
        read_collage_file(made({}, left=entry(NAMES[0])))
    assert "has another content than its name says" in refused(made({entry(NAMES[1]): b"x"}))


def test_a_picture_by_a_plain_name_is_refused(made: Callable[..., Path]):
    plain = json.dumps({**DOCUMENT, "background_picture": "beach.png"})
    assert 'names the picture "beach.png"' in refused(made({"collage.json": plain}))


def test_the_document_is_read_as_strictly_as_in_the_editor(made: Callable[..., Path]):
    assert "Document: width is 9" in refused(made({"collage.json": '{"version": 1, "width": 9}'}))
    assert "collage.json has more than the 256 KiB" in refused(made({"collage.json": " " * 10**6}))
    assert "no UTF-8" in refused(made({"collage.json": b"\xff\xfe"}))


def test_two_entries_of_one_name_are_refused(made: Callable[..., Path], file: Path):
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("collage.json", TEXT)
    assert "has two entries" in refused(file)


def test_a_bomb_is_counted_while_it_is_unpacked(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(collage_file, "MAX_PICTURE", 10**6)
    path = made({entry(NAMES[0]): bytes(10**9 // 50)}, compression=zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    lie = struct.pack("<L", 20_000_000)  # the unpacked size, in both of its headers
    path.write_bytes(data.replace(lie, struct.pack("<L", 18)))
    for one in (data, path.read_bytes()):
        path.write_bytes(one)
        assert any(part in refused(path) for part in ("holds too much", "damaged"))


def test_all_pictures_together_have_a_limit(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(collage_file, "MAX_TOTAL", file.stat().st_size)
    list(read_collage_file(file).pictures())
    monkeypatch.setattr(collage_file, "MAX_TOTAL", sum(map(len, PICTURES)) - 1)
    monkeypatch.setattr(collage_file, "MAX_INDEX", 2**20)
    assert "holds too much" in refused(file)
    with pytest.raises(CollageError, match="would hold more than"):
        write_collage_file(io.BytesIO(), TEXT, zip(NAMES, PICTURES, strict=True), b"")


def test_a_long_list_of_entries_is_refused_before_it_is_read(made: Callable[..., Path]):
    path = made({f"x{n}": b"" for n in range(400)})
    assert "lists 403 entries" in refused(path)
    data = bytearray(path.read_bytes())
    data[-14:-10] = b"\x01\x00\x01\x00"  # the numbers lie, the size of the list does not
    data[-10:-6] = struct.pack("<L", 2**30)
    path.write_bytes(data)
    assert "lists 1 entries" in refused(path)


def test_encrypted_and_strangely_packed_entries_are_refused(made: Callable[..., Path]):
    assert "packed in another way" in refused(made({}, compression=zipfile.ZIP_BZIP2))
    path = made({})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in refused(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_what_is_cut_off_is_refused(file: Path, share: float):
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    assert refused(file).endswith("Take a sound copy of it.")


def test_a_file_that_promises_a_comment_is_cut_off(file: Path):
    file.write_bytes(file.read_bytes()[:-2] + b"\x05\x00")
    assert "is cut off" in refused(file)


def test_a_folder_and_a_missing_file_end_in_a_sentence(tmp_path: Path):
    for path in (tmp_path, tmp_path / "none.collage.zip"):
        assert "is damaged or no collage file" in refused(path)


def test_changed_files_end_in_one_sentence():
    run = [sys.executable, str(Path(__file__).with_name("fuzz_files.py")), "zip", "3000"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 100 < int(done.stdout) < 2000


def test_every_picture_is_named_once_whatever_names_it():
    edited = (REPO / "tests/documents/valid").glob("*.json")
    for case in edited:
        text = case.read_text("utf-8")
        names = picture_names(read_document(text))
        assert len({*names}) == len(names)
        assert all(name in text for name in names)


def test_other_names_are_written_in_the_order_of_the_page():
    same = dict(zip(NAMES, NAMES, strict=True))
    assert renamed(TEXT, same) is TEXT
    other = json.loads(renamed(TEXT, {NAMES[0]: "a.png", NAMES[1]: ""}))
    assert (other["layers"][0]["picture"], other["background_picture"]) == ("a.png", "")
    assert list(other) == ["version", "background_picture", "prompt", "layers"]
    assert (
        written({"extra": 1, "width": 64.0, "version": 1}) == '{"version":1,"width":64,"extra":1}'
    )
    assert '"scale":0.1234567890123' in written({"layers": [{"scale": 0.1234567890123}]})
