"""Both ways for vectors to move: where they get to, what they keep, and how they go on."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from collage_core.inversion.descent import AdamW, SphereDescent, angle


@pytest.fixture
def start(generator: torch.Generator) -> dict[str, torch.Tensor]:
    return {
        "l": 0.4 * torch.randn(2, 13, generator=generator),
        "g": 3.0 * torch.randn(2, 17, generator=generator),
    }


def gradients(vectors: dict[str, torch.Tensor], seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(v.shape, generator=generator) for name, v in vectors.items()}


def test_the_norm_never_changes(start: dict[str, torch.Tensor]):
    optimizer = SphereDescent(start)
    for step in range(200):
        optimizer.step(gradients(start, step), 0.1)
    for name, vectors in optimizer.vectors.items():
        assert angle({name: vectors}, start) > 5
        torch.testing.assert_close(
            vectors.norm(dim=-1), start[name].norm(dim=-1), rtol=1e-6, atol=0
        )


def test_a_step_turns_every_vector_by_its_angle(start: dict[str, torch.Tensor]):
    optimizer = SphereDescent(start)
    optimizer.step(gradients(start, 1), 0.05)
    for name, before in start.items():
        cosine = torch.cosine_similarity(optimizer.vectors[name], before, dim=-1)
        torch.testing.assert_close(cosine, torch.full((2,), math.cos(0.05)), rtol=0, atol=1e-6)


def test_it_turns_to_where_the_loss_is_least(
    start: dict[str, torch.Tensor], generator: torch.Generator
):
    target = {name: torch.randn(v.shape, generator=generator) for name, v in start.items()}
    optimizer = SphereDescent(start)
    for step in range(300):
        found = {name: -value / value.norm(dim=-1, keepdim=True) for name, value in target.items()}
        optimizer.step(found, 0.1 * 0.98**step)
    assert angle(optimizer.vectors, target) < 1


def test_kappa_pulls_back_to_the_start(start: dict[str, torch.Tensor]):
    turned = {name: value.roll(1, dims=-1) for name, value in start.items()}
    optimizer = SphereDescent(start)
    optimizer.restart(turned)
    before = angle(optimizer.vectors, start)
    optimizer.step({name: torch.zeros_like(value) for name, value in start.items()}, 0.1)
    assert angle(optimizer.vectors, start) == pytest.approx(before - math.degrees(0.1), abs=0.5)


def test_adamw_is_that_of_torch(start: dict[str, torch.Tensor]):
    leaf = torch.nn.Parameter(start["l"].clone())
    reference = torch.optim.AdamW([leaf], lr=1e-2, weight_decay=1e-2)
    optimizer = AdamW({"l": start["l"]})
    for step in range(20):
        found = gradients({"l": start["l"]}, step)
        optimizer.step(found, 1e-2)
        leaf.grad = found["l"]
        reference.step()
    torch.testing.assert_close(optimizer.vectors["l"], leaf.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [SphereDescent, AdamW])
def test_a_saved_descent_goes_on_to_the_bit(start: dict[str, torch.Tensor], kind: Any):
    whole, cut = kind(start), kind(start)
    for step in range(10):
        whole.step(gradients(start, step), 0.03)
    for step in range(4):
        cut.step(gradients(start, step), 0.03)
    resumed = kind(start)
    resumed.load_state_dict(cut.state_dict())
    for step in range(4, 10):
        resumed.step(gradients(start, step), 0.03)
    for name in start:
        assert torch.equal(resumed.vectors[name], whole.vectors[name])


def test_a_restart_forgets_the_momentum(start: dict[str, torch.Tensor]):
    optimizer = SphereDescent(start)
    optimizer.step(gradients(start, 1), 0.1)
    optimizer.restart(start)
    fresh = SphereDescent(start)
    for one in (optimizer, fresh):
        one.step(gradients(start, 2), 0.1)
    assert torch.equal(optimizer.vectors["l"], fresh.vectors["l"])
