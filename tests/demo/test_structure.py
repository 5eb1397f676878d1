"""How agreement of edges is counted."""

from __future__ import annotations

import pytest
import torch

from demo.evaluate.structure import change, count_edges, summary


def line(column: int, rows: int = 20) -> torch.Tensor:
    """IMAGE [1, 20, 30, 3] of one upright line."""
    edges = torch.zeros(1, 20, 30, 3)
    edges[:, :rows, column] = 1
    return edges


@pytest.mark.parametrize(("column", "share"), [(10, 1.0), (12, 1.0), (8, 1.0), (13, 0.0)])
def test_an_edge_is_found_within_two_pixels(column: int, share: float) -> None:
    found = summary(count_edges(line(10), line(column)))
    assert found == {"found": share, "meant": share, "f_score": share}


def test_what_is_missing_and_what_is_too_much_are_told_apart() -> None:
    half = summary(count_edges(line(10), line(10, rows=8)))
    assert half == {"found": 0.5, "meant": 1.0, "f_score": 0.667}
    twice = summary(count_edges(line(10), line(10) + line(20)))
    assert twice == {"found": 1.0, "meant": 0.5, "f_score": 0.667}


def test_nothing_painted_is_nothing_found() -> None:
    nothing = summary(count_edges(line(10), torch.zeros(1, 20, 30, 3)))
    assert nothing == {"found": 0.0, "meant": 0.0, "f_score": 0.0}


def test_a_change_counts_in_255ths() -> None:
    black, shade = torch.zeros(4, 4, 3), torch.full((4, 4, 3), 0.2)
    assert change(black, shade) == change(shade, black) == pytest.approx(51)
