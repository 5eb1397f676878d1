"""The table of controls, and when a claim counts as found."""

from __future__ import annotations

import pytest
import torch

from demo.evaluate.controls_table import MEASURES, WAYS, claims, table, verdict


@pytest.mark.parametrize(
    ("gain", "error", "said"),
    [
        (0.3, 0.1, "as claimed"),
        (0.3, 0.15, "not decided"),
        (-0.3, 0.15, "not decided"),
        (-0.3, 0.1, "the other way round"),
        (0.3, float("inf"), "not decided"),
    ],
)
def test_a_difference_counts_beyond_two_standard_errors(gain, error, said) -> None:
    assert verdict(gain, error) == said


def found(*means: float) -> torch.Tensor:
    """[4 collages, ways, 3 seeds, measures]: a mean for each way, seeds 0.1 apart."""
    seeds = torch.tensor([-0.1, 0.0, 0.1])[:, None].expand(3, len(MEASURES))
    each = torch.stack([mean + seeds for mean in means])
    return each.expand(4, *each.shape)


def test_a_row_tells_the_mean_and_the_spread_of_the_seeds() -> None:
    lines = table(found(0.2, 0.4, 0.6, 0.5)).splitlines()
    assert len(lines) == 2 + len(WAYS)
    assert lines[2].startswith("| plain | 0.200 (0.100 to 0.300) |")


def test_each_claim_is_held_against_the_way_before() -> None:
    spatial, tokens, noise, harmony = claims(found(0.2, 0.4, 0.6, 0.5)).splitlines()
    assert "as claimed (+0.200" in spatial
    assert "as claimed (+0.200" in tokens
    assert "the other way round (-0.100" in noise
    assert "as claimed (-0.100" in harmony
