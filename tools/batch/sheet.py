"""A labelled contact sheet of the painted rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from collage_core.imaging.lettering import wrapped, write
from collage_core.storage.atomic_write import writing
from tools.batch.table import Table

LARGEST = 256  # pixels of a picture's longer side
GAP, COLUMNS, PAGE = 8, 6, 120  # pixels; pictures in a row; pictures on a sheet
SIZE, LINE, SIDE = 16, 20, 162  # pixels: letters, a line of them, labels beside a row
GREY = "#c8c8c8"  # where a picture is missing


@dataclass(frozen=True)
class Cell:
    """A picture with what its row says of it; None where it was not painted."""

    picture: Path | None
    labels: tuple[str, ...]


def write_sheets(target: Path, table: Table, pictures: Sequence[Path | None]) -> list[Path]:
    """Write sheets of all rows' pictures, `target` and target_2 ...; return their paths.

    Two columns that vary, in all combinations, become the two sides of the sheet. Otherwise each
    picture has below it what varies.
    """
    names = varying(table)
    rows = [tuple("" if row[at] is None else str(row[at]) for at in names) for row in table.rows]
    titles = [table.columns[at] for at in names]
    if sides := two_sides(rows):
        sheets = [_crossed(titles, *sides, dict(zip(rows, pictures, strict=True)))]
    else:
        cells = [
            Cell(
                picture, tuple(f"{title} {value}" for title, value in zip(titles, row, strict=True))
            )
            for picture, row in zip(pictures, rows, strict=True)
        ]
        sheets = [_listed(cells[at : at + PAGE]) for at in range(0, len(cells), PAGE)]
    paths = [
        target if at == 1 else target.with_stem(f"{target.stem}_{at}")
        for at in range(1, len(sheets) + 1)
    ]
    for path, sheet in zip(paths, sheets, strict=True):
        with writing(path, replace=True) as file:
            sheet.save(file, Image.registered_extensions()[path.suffix.lower()])
    return paths


def varying(table: Table) -> list[int]:
    """The columns that have more than one value."""
    return [
        at
        for at in range(len(table.columns))
        if any(row[at] != table.rows[0][at] for row in table.rows)
    ]


def two_sides(rows: Sequence[tuple[str, ...]]) -> tuple[list[str], list[str]] | None:
    """Values of the first and second column, where every pair of them is there just once."""
    if not rows or len(rows[0]) != 2 or len(rows) > PAGE:
        return None
    down, across = ([*dict.fromkeys(row[side] for row in rows)] for side in (0, 1))
    whole = len(set(rows)) == len(rows) == len(down) * len(across)
    return (down, across) if whole else None


def _small(path: Path | None, size: tuple[int, int]) -> Image.Image:
    if path is None:
        return Image.new("RGB", size, GREY)
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((LARGEST, LARGEST))
    return picture


def _size(paths: Sequence[Path | None]) -> tuple[int, int]:
    """The room for each picture: that of the largest, once it is small."""
    sizes = [(64, 64)]
    for path in filter(None, paths):
        with Image.open(path) as opened:
            scale = min(1.0, LARGEST / max(opened.size))
            sizes.append((round(opened.width * scale), round(opened.height * scale)))
    return max(width for width, _ in sizes), max(height for _, height in sizes)


def _height(texts: Sequence[Sequence[str]]) -> int:
    return LINE * max(map(len, texts))


def _write(sheet: Image.Image, left: int, top: int, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        base = top + number * LINE + SIZE
        write(ImageDraw.Draw(sheet), (left, base), line, SIZE, "black")


def _listed(cells: Sequence[Cell]) -> Image.Image:
    """Pictures in rows, each with its labels below."""
    width, height = _size([cell.picture for cell in cells])
    texts = [
        [line for label in one.labels for line in wrapped(label, SIZE, width)] for one in cells
    ]
    down = height + _height(texts) + 3 * GAP
    across, columns = width + GAP, min(len(cells), COLUMNS)
    lines = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * across + GAP, lines * down + GAP), "white")
    for number, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        left, top = number % columns * across + GAP, number // columns * down + GAP
        sheet.paste(_small(cell.picture, (width, height)), (left, top))
        _write(sheet, left, top + height + GAP, text)
    return sheet


def _crossed(
    titles: Sequence[str],
    down: Sequence[str],
    across: Sequence[str],
    pictures: dict[tuple[str, ...], Path | None],
) -> Image.Image:
    """One column's values on the left, the other's above."""
    width, height = _size([*pictures.values()])
    heads = [wrapped(f"{titles[1]} {value}", SIZE, width) for value in across]
    sides = [wrapped(f"{titles[0]} {value}", SIZE, SIDE) for value in down]
    left, top = SIDE + 2 * GAP, _height(heads) + 2 * GAP
    size = (left + len(across) * (width + GAP), top + len(down) * (height + GAP))
    sheet = Image.new("RGB", size, "white")
    for column, head in enumerate(heads):
        _write(sheet, left + column * (width + GAP), GAP, head)
    for row, side in enumerate(sides):
        y = top + row * (height + GAP)
        _write(sheet, GAP, y + GAP, side)
        for column, value in enumerate(across):
            picture = _small(pictures[(down[row], value)], (width, height))
            sheet.paste(picture, (left + column * (width + GAP), y))
    return sheet
