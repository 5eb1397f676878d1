"""Contact sheets: every picture stands where its labels say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from collage_core.imaging import lettering
from tools.batch.sheet import GREY, LINE, PAGE, SIZE, two_sides, write_sheets
from tools.batch.table import Table

COLOURS = ("#ff0000", "#00ff00", "#0000ff", "#ffff00", "#ff00ff", "#00ffff")
PAIRS = [(noise, seed) for noise in ("0.1", "0.9") for seed in (1, 2, 3)]


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path | None]:
    paths = [tmp_path / f"{colour[1:]}.png" for colour in COLOURS]
    for path, colour in zip(paths, COLOURS, strict=True):
        Image.new("RGB", (512, 256), colour).save(path)
    return [*paths]


def middles(sheet: Path, colours: tuple[str, ...]) -> list[tuple[int, int]]:
    """Where each colour's area has its middle: left and top in pixels."""
    pixels = np.asarray(Image.open(sheet).convert("RGB"))
    found = []
    for colour in colours:
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        tops, lefts = np.nonzero((pixels == wanted).all(-1))
        assert len(tops) >= 128 * 256
        found.append((round(lefts.mean()), round(tops.mean())))
    return found


def test_two_lists_are_the_sides_of_a_sheet(pictures: list[Path | None], tmp_path: Path) -> None:
    table = Table(("a.noise", "b.seed", "c.same"), [(*pair, "x") for pair in PAIRS])
    shuffled = [table.rows[at] for at in (3, 0, 5, 1, 4, 2)]
    of = dict(zip(table.rows, pictures, strict=True))
    given = [of[row] for row in shuffled]
    (sheet,) = write_sheets(tmp_path / "sheet.png", Table(table.columns, shuffled), given)
    places = dict(zip(table.rows, middles(sheet, COLOURS), strict=True))
    lefts = {row[1]: places[row][0] for row in table.rows}
    tops = {row[0]: places[row][1] for row in table.rows}
    assert all(places[row] == (lefts[row[1]], tops[row[0]]) for row in table.rows)
    order = [row[1] for row in shuffled]  # as the values come in the table
    assert sorted(lefts, key=lambda seed: lefts[seed]) == [*dict.fromkeys(order)]
    assert tops["0.9"] < tops["0.1"]


def test_other_tables_stand_in_rows_and_missing_pictures_are_grey(
    pictures: list[Path | None], tmp_path: Path
) -> None:
    table = Table(("a.noise",), [(str(at),) for at in range(6)])
    (sheet,) = write_sheets(tmp_path / "sheet.jpg", table, pictures)
    assert Image.open(sheet).format == "JPEG"
    gone = [*pictures[:2], None, *pictures[3:]]
    (sheet,) = write_sheets(tmp_path / "sheet.png", table, gone)
    places = middles(sheet, (*COLOURS[:2], GREY, *COLOURS[3:]))
    assert places == sorted(places)
    assert len({top for _, top in places}) == 1


def test_labels_of_any_script_stand_on_a_sheet(pictures: list[Path | None], tmp_path: Path) -> None:
    """Labels of two words are two pictures, and none is wider than its own; "?" is one, too."""
    sheets = []
    for words in ("寿司" * 40, "醤油" * 40):
        table = Table(("layer.sushi.text",), [(words,), ("",)])
        (sheet,) = write_sheets(tmp_path / "sheet.png", table, pictures[:2])
        sheets.append(np.asarray(Image.open(sheet).convert("L")))
    if lettering.pieces("寿司", 16)[0][0] == lettering.LOST:
        pytest.skip("this system has no font with these letters")
    assert sheets[0].shape == sheets[1].shape
    assert (sheets[0] != sheets[1]).any()
    below = sheets[0][8 + 128 :]
    assert (below[:, 8 : 8 + 256] == 0).any()
    assert (below[LINE + SIZE :, 8 + 256 + 8 :] == 255).all(), "it reaches under the next picture"


def test_many_pictures_need_several_sheets(pictures: list[Path | None], tmp_path: Path) -> None:
    table = Table(("a.noise",), [(str(at),) for at in range(PAGE + 1)])
    sheets = write_sheets(tmp_path / "sheet.png", table, [pictures[0]] * (PAGE + 1))
    assert [sheet.name for sheet in sheets] == ["sheet.png", "sheet_2.png"]


def test_only_whole_products_have_two_sides() -> None:
    rows = [(noise, str(seed)) for noise, seed in PAIRS]
    assert two_sides(rows) == (["0.1", "0.9"], ["1", "2", "3"])
    assert two_sides(rows[:-1]) is None
    assert two_sides([*rows, rows[0]]) is None
    assert two_sides([("1",), ("2",)]) is None
