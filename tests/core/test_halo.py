"""The halo of layers against a slow loop over pixels, and what it never does."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from collage_core.imaging.filters import gaussian_blur
from collage_core.noise.noise_map import grow, noise_map, with_halo

B, L, H, W = 2, 3, 13, 17
NOISES, BASE = (0.9, 0.0, 0.5), 0.3


@pytest.fixture
def visible(generator: torch.Generator) -> torch.Tensor:
    """Three soft spots that lie apart, and one that touches an edge of the canvas."""
    alpha = torch.zeros(B, L, H, W)
    for layer, (y, x) in enumerate([(2, 3), (7, 9), (10, 15)]):
        alpha[:, layer, y : y + 3, x : x + 2] = torch.rand(B, 3, 2, generator=generator)
    return alpha


def flat(visible: torch.Tensor) -> torch.Tensor:
    return noise_map(visible, NOISES, BASE, 0.0)


def octagon(radius: int) -> list[tuple[int, int]]:
    corner = min(round(radius * (1 - math.sqrt(0.5))), (radius - 1) // 2)
    span = range(-radius, radius + 1)
    return [(y, x) for y in span for x in span if abs(y) + abs(x) <= 2 * (radius - corner)]


@pytest.mark.parametrize("halo", [1, 2, 5, 9])
def test_halo_is_the_layer_taken_for_larger(visible: torch.Tensor, halo: int) -> None:
    before = flat(visible)
    expected = before.clone()
    for b in range(B):
        for layer, noise in enumerate(NOISES):
            for y in range(H):
                for x in range(W):
                    own = visible[b, layer, y, x].item()
                    near = [
                        visible[b, layer, y + dy, x + dx].item()
                        for dy, dx in octagon(halo)
                        if 0 <= y + dy < H and 0 <= x + dx < W
                    ]
                    added = (max(near) - own) / (1 - own)
                    below = before[b, 0, y, x].item()
                    higher = below + added * max(noise - below, 0.0)
                    expected[b, 0, y, x] = max(expected[b, 0, y, x].item(), higher)
    assert_close(with_halo(before, visible, NOISES, halo), expected)


@pytest.mark.parametrize("radius", range(1, 40))
def test_grown_reaches_the_radius_and_hardly_beyond(radius: int) -> None:
    grown = grow(torch.ones(1, 1, 1), radius)[0]
    offset = torch.arange(-radius, radius + 1)
    distance = (offset.unsqueeze(1) ** 2 + offset**2).sqrt()
    assert grown.shape == distance.shape
    assert distance[grown > 0].max() <= max(radius + 1, 1.11 * radius)
    assert (grown[distance <= 0.98 * radius] == 1).all()


def test_halo_raises_and_never_lowers(visible: torch.Tensor) -> None:
    before = flat(visible)
    last = before
    for halo in (1, 3, 8):
        raised = with_halo(before, visible, NOISES, halo)
        assert (raised >= last).all()
        last = raised
    assert last.max() <= max(NOISES)


def test_halo_of_zero_changes_no_bit(visible: torch.Tensor) -> None:
    """Against the map as it was before there were halos."""
    above = visible.new_tensor([noise - BASE for noise in NOISES])
    plain = BASE + torch.einsum("blhw,l->bhw", visible, above)
    plain = gaussian_blur(plain.unsqueeze(1), 2.0).clamp(0.0, 1.0)
    assert torch.equal(noise_map(visible, NOISES, BASE, 2.0), plain)
    assert torch.equal(noise_map(visible, NOISES, BASE, 2.0, 0), plain)


def test_a_locked_neighbour_within_the_halo_is_raised() -> None:
    alpha = torch.zeros(1, 2, 1, 12)
    alpha[:, 0, :, :4], alpha[:, 1, :, 4:] = 1.0, 1.0
    raised = with_halo(noise_map(alpha, [0.8, 0.0], 0.5, 0.0), alpha, [0.8, 0.0], 3)
    assert_close(raised.flatten(), torch.tensor([0.8] * 7 + [0.0] * 5))


def test_a_layer_that_nothing_shows_of_has_no_halo(visible: torch.Tensor) -> None:
    hidden = torch.cat([visible, torch.zeros(B, 1, H, W)], 1)
    before = flat(visible)
    expected = with_halo(before, visible, NOISES, 4)
    assert torch.equal(with_halo(before, hidden, (*NOISES, 1.0), 4), expected)


def test_a_halo_as_wide_as_the_canvas_is_all_of_it() -> None:
    alpha = torch.zeros(1, 1, H, W)
    alpha[..., 0, 0] = 1.0
    before = noise_map(alpha, [0.7], 0.0, 0.0)
    for halo in (H + W, 10**9):
        assert_close(with_halo(before, alpha, [0.7], halo), torch.full_like(before, 0.7))


def test_the_blur_comes_after_the_halo() -> None:
    alpha = torch.zeros(1, 1, 9, 41)
    alpha[..., :10] = 1.0
    profile = noise_map(alpha, [1.0], 0.0, 3.0, 10)[0, 0, 4]
    assert_close(profile[[10, 19, 20]], torch.tensor([1.0, 0.566, 0.434]), atol=2e-3, rtol=0)


def test_halo_leaves_its_inputs_alone(visible: torch.Tensor) -> None:
    before, alpha = flat(visible), visible.clone()
    copy = before.clone()
    with_halo(before, visible, NOISES, 3)
    assert torch.equal(before, copy)
    assert torch.equal(visible, alpha)
