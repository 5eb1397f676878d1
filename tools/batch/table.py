"""A table of jobs: CSV, JSON lines or Parquet, one row a picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collage_core.storage.atomic_write import write_whole
from launcher.failure import LauncherError

KINDS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
FIELD_BYTES = 64 * 2**20  # a document of an editor may stand in one cell


@dataclass(frozen=True)
class Table:
    """Named columns and rows of cells; an empty cell is None.

        Table(("sampler.seed",), [(7,), (None,)])

    Cells of a CSV are texts; those of JSON lines and Parquet are values of JSON.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def read_table(file: Path) -> Table:
    """Read a table by the ending of its name; LauncherError says what is wrong with it."""
    kind = file.suffix.lower()
    if kind not in KINDS:
        raise LauncherError(f"The table {file} is no {', '.join(KINDS)} file; save it as one.")
    if not file.is_file():
        raise LauncherError(
            f"There is no table {file}; write one, or let --grid make one under this name."
        )
    if kind == ".parquet":
        table = _parquet(file)
    else:
        text = _text(file)
        table = _json_lines(file, text) if kind in (".jsonl", ".ndjson") else _csv(file, text)
    _check_columns(file, table.columns)
    if not table.rows:
        raise LauncherError(f"The table {file} has no rows; give it one for each picture.")
    return table


def _text(file: Path) -> str:
    data = file.read_bytes()
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"  # as Excel saves
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        raise LauncherError(
            f"The table {file} is not in UTF-8 (byte {error.start + 1}); save it as CSV UTF-8."
        ) from error


def _csv(file: Path, text: str) -> Table:
    """Cells are separated as the head is: by commas, semicolons or tabs."""
    csv.field_size_limit(FIELD_BYTES)
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    try:
        lines = [*csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)]
    except csv.Error as error:
        raise LauncherError(f"The table {file} is no CSV ({error}).") from error
    names = tuple(name.strip() for name in lines[0]) if lines else ()
    rows = []
    for number, line in enumerate((one for one in lines[1:] if one), 1):
        if len(line) > len(names):
            raise LauncherError(
                f"The table {file}, row {number} has {len(line)} cells for {len(names)} columns; "
                'put texts with a separator in quotes ("a, b").'
            )
        cells = [cell or None for cell in line] + [None] * (len(names) - len(line))
        rows.append(tuple(cells))
    return Table(names, rows)


def _json_lines(file: Path, text: str) -> Table:
    found: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise LauncherError(f"The table {file}, line {number} is no JSON ({error}).") from error
        if not isinstance(row, dict):
            raise LauncherError(
                f'The table {file}, line {number} is no object such as {{"sampler.seed": 7}}.'
            )
        found.append(row)
    names = tuple(dict.fromkeys(name for row in found for name in row))
    return Table(names, [tuple(row.get(name) for name in names) for row in found])


def _parquet(file: Path) -> Table:
    import pyarrow
    from pyarrow import parquet

    try:
        read = parquet.read_table(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise LauncherError(f"The table {file} is no Parquet ({error}).") from error
    columns = [column.to_pylist() for column in read.columns]
    return Table(tuple(read.column_names), [*zip(*columns, strict=True)])


def _check_columns(file: Path, names: Sequence[str]) -> None:
    if "" in names:
        raise LauncherError(
            f"The table {file} has no name for column {names.index('') + 1}; "
            "name it like sampler.seed."
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise LauncherError(f"The table {file} has two columns {twice}; leave one of them.")


def write_csv(file: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a CSV that is there whole or not at all; None becomes an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    write_whole(file, text.getvalue(), replace=True)
