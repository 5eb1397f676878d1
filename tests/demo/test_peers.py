"""Other methods of words in places, and the table beside them."""

from __future__ import annotations

import pytest
import torch

from demo.evaluate import peers, spending
from demo.evaluate.collages import TUNING_SEED, cases
from demo.evaluate.painter import Painter, Sampling


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter(Sampling(1, 4.0))


def test_scores_rise_to_the_largest_inside_and_fall_to_the_smallest_outside() -> None:
    scores = torch.tensor([[1.0, 5.0, 3.0], [4.0, -2.0, 0.0]])[None, None]
    place = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])[None]
    added = peers.modulation(scores, place)[0, 0]
    assert torch.equal(added, torch.tensor([[0.0, -4.0, 1.0], [-6.0, 0.0, -1.0]]))


@pytest.mark.parametrize("way", ["DenseDiffusion", "attention couple"])
def test_a_peer_moves_words_and_leaves_the_negative_alone(painter: Painter, way: str) -> None:
    """Without guidance by the positive nothing of it can be seen."""
    case, painter.sampling = cases(TUNING_SEED, 1, 0.8)[0], Sampling(1, 4.0)
    with torch.inference_mode():
        found = spending.PEERS[way](painter, case)
        plain = painter.plain(case)
        pictures = [painter.paint(case, one, 1) for one in (plain, found)]
        assert (pictures[0] - pictures[1]).abs().mean() > 1e-3
        painter.sampling = Sampling(1, 0.0)
        pictures = [painter.paint(case, one, 1) for one in (plain, found)]
        assert torch.allclose(pictures[0], pictures[1], atol=1e-4)


@pytest.mark.parametrize("way", ["early", "DenseDiffusion", "attention couple"])
def test_half_precision_paints_nearly_the_same(painter: Painter, way: str) -> None:
    case, painter.sampling = cases(TUNING_SEED, 1, 0.8)[0], Sampling(1, 4.0)
    half, paint = Painter(Sampling(1, 4.0, half=True)), {**spending.SWEEP, **spending.PEERS}[way]
    with torch.inference_mode():
        pictures = [one.paint(case, paint(one, case), 1) for one in (painter, half)]
    assert 0 < (pictures[0] - pictures[1]).abs().mean() < 0.02


def test_the_gain_is_that_of_the_same_collage() -> None:
    one = torch.tensor([[[0.2, torch.nan, 0.5]] * 2, [[0.6, 0.5, 0.5]] * 2])
    row = spending.table({"paper": one, "other": one + 0.1}, "paper")["other"]
    assert (row["own_cells"], row["own_cells_gain"], row["own_cells_error"]) == (0.5, 0.1, 0.0)
    assert (row["colour"], row["colour_gain"]) == (0.6, 0.1)
