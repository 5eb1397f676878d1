"""Measurements as text. The first row is the baseline of the others."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence


def calls_table(calls: dict[str, dict]) -> str:
    """Median and least time, the ratio to the first row, and memory above the first row's."""
    first = next(iter(calls.values()))
    rows = [["", "median ms", "least ms", "ratio", "memory MB"]]
    for name, row in calls.items():
        above = (row["peak_bytes"] - first["peak_bytes"]) / 1e6
        times = [statistics.median(row["seconds"]), min(row["seconds"])]
        rows.append(
            [
                name,
                *(f"{time * 1e3:.0f}" for time in times),
                f"{ratio(row['seconds'], first['seconds']):.3f}",
                f"{above:+.0f}",
            ]
        )
    rows[1][-1] = f"{first['peak_bytes'] / 1e6:.0f}"
    return table(rows)


def blocks_table(shapes: dict[str, dict[str, dict]]) -> str:
    """For every shape: median ms of every way, the ratio to the first way, and peak MB."""
    rows = [["cells, heads x channels", *shapes]]
    for way in next(iter(shapes.values())):
        cells = []
        for ways in shapes.values():
            own, first = ways[way]["seconds"], next(iter(ways.values()))["seconds"]
            memory = ways[way]["peak_bytes"] / 1e6
            median = statistics.median(own) * 1e3
            cells.append(f"{median:.2f} ms {ratio(own, first):6.2f} {memory:6.0f} MB")
        rows.append([way, *cells])
    return table(rows)


def ratio(times: Sequence[float], others: Sequence[float]) -> float:
    """Ratio of times in the same round, so that other load affects both sides."""
    return statistics.median(a / b for a, b in zip(times, others, strict=True))


def table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(line(row, widths) for row in rows)


def line(cells: Iterable[str], widths: list[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])
