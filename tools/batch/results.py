"""The table of what became of every row, as CSV and Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from collage_core.storage.atomic_write import writing
from tools.batch.jobs import Job
from tools.batch.journal import Entry, Journal
from tools.batch.table import Table, write_csv

COLUMNS = ("row", "state", "files", "seconds", "worker", "warnings", "error", "key")
WAITS = "waiting"


def write_results(base: Path, table: Table, jobs: Iterable[Job], journal: Journal) -> list[Path]:
    """Write `base`.csv and `base`.parquet: a line a row, with the row's own columns behind.

    state: painted, failed or waiting. Lists are lists in Parquet, and joined by `; ` in the CSV.
    """
    job_of = {row: job for job in jobs for row in job.rows}
    rows = [_row(number, job_of[number], journal) for number in range(1, len(table.rows) + 1)]
    targets = [base.with_name(f"{base.name}.csv"), base.with_name(f"{base.name}.parquet")]
    flat = [
        [*("; ".join(one) if isinstance(one, list) else one for one in row), *cells]
        for row, cells in zip(rows, table.rows, strict=True)
    ]
    write_csv(targets[0], [*COLUMNS, *table.columns], flat)
    _write_parquet(targets[1], table, rows)
    return targets


def _row(number: int, job: Job, journal: Journal) -> list[Any]:
    entry = journal.entries.get(job.stem, Entry(job.key, job.stem))
    painted = journal.done(job.stem) is not None
    state = "painted" if painted else "failed" if entry.error else WAITS
    return [
        *(number, state, list(entry.files) if painted else [], entry.seconds, entry.worker),
        *(list(entry.warnings), entry.error, job.key),
    ]


def _write_parquet(target: Path, table: Table, rows: list[list[Any]]) -> None:
    import pyarrow
    from pyarrow import parquet

    texts = pyarrow.string()
    kinds = [pyarrow.int64(), texts, pyarrow.list_(texts), pyarrow.float64(), texts]
    kinds += [pyarrow.list_(texts), texts, texts]
    arrays = [pyarrow.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
    for place in range(len(table.columns)):
        cells = [row[place] for row in table.rows]
        arrays.append(pyarrow.array([None if one is None else str(one) for one in cells], texts))
    made = pyarrow.Table.from_arrays(arrays, [*COLUMNS, *table.columns])
    with writing(target, replace=True) as file:
        parquet.write_table(made, file)
