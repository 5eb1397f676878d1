"""The bias itself: schedules, masks on the grids of a UNet, regions and their tokens."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from collage_core.attention.bias import (
    LIMIT,
    AttentionBias,
    TokenRegion,
    attention_bias,
    block_masks,
    last_fraction,
    peak_scores,
    schedule_factor,
)


def make_bias(
    masks: torch.Tensor,
    attract: tuple[float, ...],
    repel: tuple[float, ...],
    regions: tuple[TokenRegion, ...] | None = None,
    **changes: object,
) -> AttentionBias:
    """Layer n owns token n + 1 unless `regions` say otherwise."""
    regions = regions or tuple(TokenRegion((n,), (n + 1,)) for n in range(masks.shape[1]))
    bias = {"masks": masks, "regions": regions, "attract": attract, "repel": repel}
    return AttentionBias(**{**bias, **changes})


def test_schedules_fall_as_published() -> None:
    for sigma, factor in {14.6: 1.32, 1.0: 0.53, 0.03: 0.04}.items():
        assert schedule_factor("paper", sigma) == pytest.approx(factor, abs=0.005)
    assert schedule_factor("ediff", 14.6) == pytest.approx(2.748, abs=0.001)
    assert schedule_factor("ediff", 0.0) == pytest.approx(0.00995, abs=1e-5)
    assert schedule_factor("constant", 14.6) == schedule_factor("constant", 0.0) == 1.0
    for sigma, factor in {14.6: 1.31, 2.0: 0.474, 1.0: 0.132, 0.3: 0.002, 0.0: 0.0}.items():
        assert schedule_factor("early", sigma) == pytest.approx(factor, abs=0.005)


@pytest.mark.parametrize("begins", [1.0, 0.8, 0.3])
def test_the_earliest_bias_ends_with_a_quarter_of_the_runs_noise(begins: float) -> None:
    for sigma in (14.6, 1.0, 0.03):
        assert schedule_factor("earliest", sigma) == schedule_factor("early", sigma)
    assert last_fraction("earliest", begins) == pytest.approx(0.75 * begins)
    for other in ("paper", "ediff", "constant", "early"):
        assert last_fraction(other, begins) == 0.0


def test_the_papers_schedule_is_its_formula_to_the_bit() -> None:
    for sigma in (14.6, 3.7, 1.0, 0.03, 0.0):
        assert schedule_factor("paper", sigma) == math.log(math.log(sigma + 1.01) + 1)


@pytest.mark.parametrize(
    ("attract", "repel", "changes"),
    [(0.0, 0.0, {}), (1.0, 1.0, {"start": 0.5, "end": 0.5}), (1.0, 1.0, {"start": 0.6, "end": 0})],
)
def test_a_bias_that_asks_for_nothing_is_none(
    attract: float, repel: float, changes: dict[str, Any]
) -> None:
    bias = make_bias(torch.ones(1, 1, 8, 8), (attract,), (repel,), **changes)
    assert bias.factor(14.6) == 0.0


def test_weights_are_attract_inside_and_minus_repel_outside() -> None:
    """Two pictures of 7 x 11 cells, three layers; a covered layer has nothing outside."""
    masks = torch.zeros(2, 3, 56, 88)
    masks[0, 0, :, :40] = 1.0  # five columns
    masks[1, 0, :16] = 0.5  # two rows, half transparent
    masks[:, 1] = 1.0
    bias = make_bias(masks, (0.3, 2.0, 1.0), (0.5, 7.0, 0.25))
    weights = bias.region_weights((7, 11), (7, 11)).unflatten(1, (7, 11))
    assert_close(weights[0, :, :5, 0], torch.full((7, 5), 0.3))
    assert_close(weights[0, :, 5:, 0], torch.full((7, 6), -0.5))
    assert_close(weights[1, :2, :, 0], torch.full((2, 11), 0.3 * 0.5 - 0.5 * 0.5))
    assert_close(weights[..., 1], torch.full((2, 7, 11), 2.0))
    assert_close(weights[..., 2], torch.full((2, 7, 11), -0.25))


def test_layers_that_share_words_are_the_union_of_their_places() -> None:
    masks = torch.zeros(1, 2, 32, 32)
    masks[:, 0, :, :16], masks[:, 1, :16, 8:] = 1.0, 1.0
    bias = make_bias(masks, (1.0, 2.0), (0.2, 0.4), (TokenRegion((0, 1), (1, 2)),))
    weights = bias.region_weights((4, 4), (4, 4)).view(4, 4)
    assert_close(weights[3], torch.tensor([1.0, 1.0, -0.3, -0.3]))
    assert_close(weights[0], torch.tensor([1.0, 3.0, 2.0, 2.0]))


def test_a_hair_keeps_its_peak_at_every_block() -> None:
    masks = torch.zeros(1, 1, 128, 128)
    masks[..., 37] = 0.9
    bias = make_bias(masks, (1.0,), (0.0,))
    for side in (16, 8, 4, 2, 1):
        weights = bias.region_weights((side, side), (16, 16)).view(side, side)
        assert_close(weights.amax(), torch.tensor(0.9))
        assert weights.count_nonzero() == side


def test_blocks_of_odd_sides_average_the_cells_under_them() -> None:
    """A UNet halves 17 x 11 to 9 x 6, 5 x 3 and 3 x 2: a cell of the last is 8 x 8 of the first."""
    cells = torch.arange(17 * 11.0).view(1, 1, 17, 11) / 187
    for side, size in {1: (17, 11), 2: (9, 6), 4: (5, 3), 8: (3, 2)}.items():
        means = block_masks(cells, size)
        first, other = cells[0, 0, :side, :side].mean(), cells[0, 0, side : 2 * side, :side].mean()
        assert_close(means[0, 0, 1, 0] / means[0, 0, 0, 0], other / first)
    assert block_masks(cells, (12, 7)).shape == (1, 1, 12, 7)


def test_an_area_sees_its_part_of_the_masks() -> None:
    masks = torch.zeros(1, 1, 64, 96)
    masks[..., 48:] = 1.0
    bias = make_bias(masks, (1.0,), (1.0,))
    weights = bias.region_weights((4, 5), (8, 12), (4, 5, 1, 4)).view(4, 5)
    assert_close(weights, torch.tensor([-1.0, -1, 1, 1, 1]).expand(4, 5))
    assert_close(bias.region_weights((8, 12), (8, 12)).view(8, 12)[0, 5:7], torch.tensor([-1.0, 1]))


def test_tokens_repeat_with_the_conditioning() -> None:
    bias = make_bias(
        torch.ones(1, 2, 8, 8),
        (1.0, 1.0),
        (1.0, 1.0),
        (TokenRegion((0,), (3,)), TokenRegion((1,), (1, 2))),
    )
    columns = bias.token_columns(5, 15, 0.7)
    assert columns.tokens.tolist() == [3, 1, 2, 8, 6, 7, 13, 11, 12]
    assert columns.membership.tolist() == [[1.0, 0, 0] * 3, [0.0, 1, 1] * 3]
    assert columns.factor == 0.7
    assert bias.token_columns(5, 7, 0.7).tokens.tolist() == [3, 1, 2], "two keys are another's"


def test_the_largest_score_is_never_below_zero() -> None:
    q, k = torch.ones(1, 3, 4), torch.tensor([[[1.0, 2, 3, 4], [-1, -1, -1, -1]]])
    assert_close(peak_scores(q, k, 2), torch.tensor([[7 / 2**0.5, 0.0]]))
    assert_close(peak_scores(q, k, 1), torch.tensor([[5.0, 0.0]]))


def test_only_keys_of_layers_are_biased() -> None:
    generator = torch.Generator().manual_seed(3)
    q, k = (torch.randn(2, n, 12, generator=generator) for n in (77, 5))
    masks = torch.rand(1, 3, 56, 88, generator=generator)
    bias = make_bias(masks, (1.0, 2.0, 0.5), (0.5, 0.0, 1.0))
    weights = bias.region_weights((7, 11), (7, 11))
    found = attention_bias(q, k, 2, weights, bias.token_columns(5, 5, 0.7))
    assert found.shape == (2, 1, 77, 5)
    assert not found[..., [0, 4]].any()
    for item in range(2):
        for layer in range(3):
            per_head = [q[item, :, h] @ k[item, layer + 1, h] for h in (slice(6), slice(6, 12))]
            peak = max(scores.max().item() / 6**0.5 for scores in per_head)
            assert_close(found[item, 0, :, layer + 1], 0.7 * peak * weights[0, :, layer])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_scores_beyond_half_precision_stay_finite(dtype: torch.dtype) -> None:
    q, k = torch.full((1, 64, 80), 300.0, dtype=dtype), torch.full((1, 5, 80), 300.0, dtype=dtype)
    masks = torch.zeros(1, 2, 64, 64)
    masks[:, 0, :32] = 1.0
    bias = make_bias(masks, (10.0, 0.0), (0.0, 0.0))
    found = attention_bias(
        q, k, 1, bias.region_weights((8, 8), (8, 8)), bias.token_columns(5, 5, 1.0)
    )
    assert found.dtype == dtype
    assert found.isfinite().all()
    assert found.abs().max() <= LIMIT * 1.01
    assert not found[..., 2].any(), "nothing is asked of the second layer"
