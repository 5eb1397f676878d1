"""The table of all combinations of a few lists.

--grid layer.sushi.noise=0.2,0.4,0.6 --grid sampler.seed=1..8 --grid layer.mug.image=mugs/*.png
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from launcher.failure import LauncherError
from tools.batch.table import Table, read_table, write_csv

RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
MOST_ROWS = 1_000_000


def grid_table(lists: Sequence[str], folder: Path) -> Table:
    """All combinations, the last list varying fastest; pictures are looked for in `folder`."""
    parts = [_named_list(text, folder) for text in lists]
    names = tuple(name for name, _ in parts)
    count = 1
    for _, values in parts:
        count *= len(values)
    if count > MOST_ROWS:
        raise LauncherError(f"The grid has {count} rows; make several of at most {MOST_ROWS}.")
    rows = itertools.product(*([value or None for value in values] for _, values in parts))
    return Table(names, [*rows])


def _named_list(text: str, folder: Path) -> tuple[str, list[str]]:
    name, sign, values = text.partition("=")
    if not sign or not name.strip() or not values.strip():
        raise LauncherError(f"--grid {text} is no list; write it like sampler.seed=1,2,3.")
    listed = next(csv.reader([values], skipinitialspace=True))
    return name.strip(), [one for value in listed for one in _expanded(value, folder)]


def _expanded(value: str, folder: Path) -> list[str]:
    """A range such as 1..8 as its numbers, a pattern such as mugs/*.png as its files."""
    if ends := RANGE.fullmatch(value.strip()):
        first, last = int(ends[1]), int(ends[2])
        if last < first or last - first >= MOST_ROWS:
            raise LauncherError(f"--grid: {value} is no range of 1 to {MOST_ROWS} numbers.")
        return [str(number) for number in range(first, last + 1)]
    if ("*" in value or "?" in value) and not Path(value).is_absolute():
        found = sorted(file for file in folder.glob(value) if file.is_file())
        if found:
            return [file.relative_to(folder).as_posix() for file in found]
    return [value]


def make_grid(file: Path, lists: Sequence[str]) -> None:
    """Write the table of a grid, unless just this table is there already."""
    if file.suffix.lower() != ".csv":
        raise LauncherError(f"--grid writes a CSV, and {file} is none; name the table .csv.")
    table = grid_table(lists, file.absolute().parent)
    if file.exists() and read_table(file) != table:
        raise LauncherError(
            f"The table {file} is there and is not the one of --grid; give another name, or leave "
            "--grid out to paint the table as it is."
        )
    if not file.exists():
        write_csv(file, table.columns, table.rows)
