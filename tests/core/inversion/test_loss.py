"""The loss against a loop, the draw of noise levels, start vectors, report and curve."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from collage_core.inversion.descent import start_vectors, word_norm
from collage_core.inversion.loss import masked_loss, seeded_generator, stratified
from collage_core.inversion.outcome import BLUE, RED, Outcome, loss_curve


@pytest.mark.parametrize("kind", ["min_snr", "plain", "plain_velocity"])
def test_the_loss_is_that_of_a_loop(kind: Any, generator: torch.Generator):
    B, C, H, W = 2, 3, 5, 7
    denoised, clean = (torch.randn(B, C, H, W, generator=generator) for _ in range(2))
    mask = torch.rand(B, 1, H, W, generator=generator)
    sigma = torch.tensor([0.2, 3.0])
    losses = masked_loss(denoised, clean, mask, sigma, kind)
    for b in range(B):
        error = sum(
            mask[b, 0, y, x].item() * (denoised - clean)[b, c, y, x].item() ** 2
            for c in range(C) for y in range(H) for x in range(W)
        )  # fmt: skip
        s = sigma[b].item()
        expected = {
            "min_snr": min(1 / s**2, 5) * error / (C * mask[b].sum().item()),
            "plain": error / s**2 / (C * H * W),  # of the noise: it is s times larger
            "plain_velocity": error * (1 + s**2) / s**2 / (C * H * W),
        }[kind]
        assert losses[b].item() == pytest.approx(expected, rel=1e-4)


def test_a_small_mask_does_not_make_a_small_loss():
    error = torch.ones(1, 4, 8, 8)
    losses = []
    for cells in (1, 8):
        mask = torch.zeros(1, 1, 8, 8)
        mask[..., :cells] = 1
        args = (error, torch.zeros_like(error), mask, torch.ones(1))
        losses.append(masked_loss(*args, "min_snr").item())
    assert losses == [1.0, 1.0]


def test_every_part_of_the_range_has_one_draw():
    drawn = stratified(4, 0.1, 0.9, seeded_generator(1, "x"))
    assert ((drawn - 0.1) / 0.2).long().tolist() == [0, 1, 2, 3]


def test_generators_depend_on_seed_name_and_step():
    draws = {
        torch.rand((), generator=seeded_generator(*key)).item()
        for key in [(1, "a", 0), (2, "a", 0), (1, "b", 0), (1, "a", 1), (2**64 - 1, "a", 0)]
    }
    assert len(draws) == 5
    assert torch.rand((), generator=seeded_generator(1, "a")).item() in draws


def test_start_vectors_repeat_the_words_a_little_tilted(generator: torch.Generator):
    words = torch.randn(2, 11, generator=generator)
    found = start_vectors(words, 4, 0.5, generator)
    torch.testing.assert_close(found.norm(dim=-1), torch.full((4,), 0.5))
    cosines = torch.cosine_similarity(found, words[[0, 1, 0, 1]], dim=-1)
    assert cosines[:2].tolist() == pytest.approx([1, 1], abs=1e-6)
    tilt = math.cos(math.atan(0.02))
    assert cosines[2:].tolist() == pytest.approx([tilt, tilt], abs=1e-6)


def test_start_vectors_keep_their_norm_unless_told(generator: torch.Generator):
    words = torch.randn(2, 11, generator=generator)
    torch.testing.assert_close(start_vectors(words, 2, None, generator), words)


def test_words_that_are_alike_count_once_in_the_norm():
    table = torch.tensor([[3.0, 4.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    assert word_norm(table) == 3.0


def outcome(**changes: Any) -> Outcome:
    good = {
        "gain": 0.3, "loss": 0.7, "loss_without": 1.0, "angle": 40.0, "norms": {"l": 0.4},
        "vectors": 2, "steps": 90, "planned": 150, "best_step": 80, "passes": (500, 360),
        "seconds": 12.0,
    }  # fmt: skip
    return Outcome(**{**good, **changes})


def test_the_report_names_gain_angle_norm_steps_and_seconds():
    text = outcome().text()
    for part in ("30.0%", "40.0 degrees", "0.4 (l)", "90 steps of 150", "12.0 s", "360 backward"):
        assert part in text
    assert "warning" not in text


def test_nothing_learned_and_a_lost_phrase_are_warned_of():
    assert "nothing learned" in outcome(gain=-0.002).text()
    assert "no longer be obeyed" in outcome(angle=88.0).text()


def test_the_curve_falls_and_crosses_the_line_without_words():
    picture = loss_curve([0.9, math.nan, 0.2], [(0, 1.2), (3, 0.1)], 0.5)[0]
    assert picture.shape == (320, 512, 3)
    rows, columns = (picture == torch.tensor(BLUE)).all(-1).nonzero().T
    assert rows[columns.argmin()] < rows[columns.argmax()]
    reds = (picture == torch.tensor(RED)).all(-1).nonzero()[:, 0]
    assert rows.min() < reds.min() == reds.max() < rows.max()
