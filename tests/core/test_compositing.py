"""Flattening layers, against a slow reference written from the definition."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.profiler import ProfilerActivity, profile
from torch.testing import assert_close

from collage_core.collage.compositing import compose
from collage_core.collage.layer import Layer

from .placed_layer import layer, opaque, random_layer

B, L, H, W = 2, 3, 7, 11


def over(background: torch.Tensor, layers: list[Layer]) -> tuple[torch.Tensor, torch.Tensor]:
    """The definition, pixel by pixel: layers as large as the canvas, lying exactly on it."""
    image = torch.zeros(B, H, W, 3)
    visible = torch.zeros(B, len(layers), H, W)
    for b in range(B):
        for y in range(H):
            for x in range(W):
                colour = background[b % len(background), y, x]
                alphas = [one.alpha[b % one.batch, y, x] * one.opacity for one in layers]
                for i, one in enumerate(layers):
                    colour = alphas[i] * one.image[b % one.batch, y, x] + (1 - alphas[i]) * colour
                    above = math.prod(1 - alpha for alpha in alphas[i + 1 :])
                    visible[b, i, y, x] = alphas[i] * above
                image[b, y, x] = colour
    return image, visible


@pytest.mark.parametrize("batches", [(2, 2, 2, 2), (1, 2, 1, 2), (2, 1, 1, 1)])
def test_compose_is_straight_alpha_over(generator: torch.Generator, batches: tuple[int, ...]):
    layers = [random_layer(generator, n, H, W, opacity=0.5 + n / 4) for n in batches[:L]]
    background = torch.rand(batches[L], H, W, 3, generator=generator)
    image, visible = over(background, layers)
    composite = compose(background, layers)
    assert_close(composite.image, image)
    assert_close(composite.visible_alpha, visible)


def test_compose_keeps_one_set_of_masks() -> None:
    """Two figures of the report are no reason for a second tensor [B, L, H, W]."""
    many = [opaque(256, 256, opacity=0.5) for _ in range(32)]
    background = torch.zeros(1, 256, 256, 3)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        visible = compose(background, many).visible_alpha
    masks = visible.numel() * visible.element_size()
    taken = [event.self_cpu_memory_usage for event in seen.events() or []]
    assert [size for size in taken if size > masks / 4] == [masks]


def test_compose_counts_what_covers_what(generator: torch.Generator):
    layers = [random_layer(generator, n, H, W) for n in (1, 2, 2)]
    composite = compose(torch.zeros(1, H, W, 3), layers)
    own = torch.stack([one.alpha.expand(B, H, W) for one in layers], dim=1)
    assert_close(composite.covered, own.mean((0, 2, 3)))
    for low in range(L):
        for high in range(L):
            hidden = (own[:, low] * composite.visible_alpha[:, high]).mean()
            assert_close(composite.hidden_by[low, high], hidden if high > low else 0 * hidden)


def test_compose_without_layers_is_the_background(generator: torch.Generator):
    background = torch.rand(B, H, W, 3, generator=generator)
    composite = compose(background, [])
    assert_close(composite.image, background, rtol=0, atol=0)
    assert composite.visible_alpha.shape == (B, 0, H, W)


def test_compose_leaves_its_inputs_alone(generator: torch.Generator):
    layers = [random_layer(generator, 1, 5, 5, rotation=turn, scale=0.8) for turn in (0, 33)]
    background = torch.rand(1, H, W, 3, generator=generator)
    inputs = [background, *(t for one in layers for t in (one.image, one.alpha))]
    copies = [tensor.clone() for tensor in inputs]
    compose(background, layers)
    for tensor, copy in zip(inputs, copies, strict=True):
        assert_close(tensor, copy, rtol=0, atol=0)


@pytest.mark.parametrize("turn", [0.0, 30.0])
@pytest.mark.parametrize("scale", [0.3, 0.8, 1.0, 2.5])
def test_colour_under_alpha_zero_never_bleeds(scale: float, turn: float):
    image = torch.zeros(1, 40, 40, 3)
    image[..., 1] = 1.0  # the transparent part is green,
    image[:, 10:30, 10:30] = torch.tensor([1.0, 0, 0])  # the object is red
    alpha = torch.zeros(1, 40, 40)
    alpha[:, 10:30, 10:30] = 1
    red = torch.tensor([1.0, 0, 0]).expand(1, 64, 64, 3)  # on red, nothing else may show
    moved = layer(image, alpha, scale=scale, rotation=turn, x=0.47, y=0.52)
    assert_close(compose(red, [moved]).image, red)


@given(
    places=st.lists(
        st.fixed_dictionaries(
            {
                "x": st.floats(-0.5, 1.5),
                "y": st.floats(-0.5, 1.5),
                "scale": st.floats(0.01, 4),
                "rotation": st.floats(-400, 400),
                "opacity": st.floats(0, 1),
            }
        ),
        max_size=4,
    ),
    seed=st.integers(0, 10),
)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_visible_parts_and_background_make_one(places: list[dict[str, float]], seed: int):
    generator = torch.Generator().manual_seed(seed)
    layers = [random_layer(generator, 1, 5, 3, **place) for place in places]
    black, white = (compose(torch.full((1, H, W, 3), tone), layers) for tone in (0.0, 1.0))
    visible = black.visible_alpha
    assert bool((visible >= 0).all())
    background = (white.image - black.image)[..., 0]  # how much of it shows
    assert_close(visible.sum(1) + background, torch.ones(1, H, W))


@given(st.permutations(range(3)))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_layers_apart_may_be_stacked_in_any_order(order: list[int]):
    generator = torch.Generator().manual_seed(1)
    layers = [random_layer(generator, 1, 3, 3, x=x) for x in (1.5 / W, 5.5 / W, 9.5 / W)]
    background = torch.rand(1, H, W, 3, generator=generator)
    composite = compose(background, layers)
    shuffled = compose(background, [layers[i] for i in order])
    assert_close(shuffled.image, composite.image, rtol=0, atol=0)
    assert_close(shuffled.visible_alpha, composite.visible_alpha[:, list(order)], rtol=0, atol=0)


@pytest.mark.parametrize("place", [{"x": 3.0}, {"y": -2.0}, {"x": 1.6, "rotation": 45.0}])
def test_a_layer_beyond_the_canvas_leaves_no_trace(place: dict[str, Any]):
    composite = compose(torch.zeros(1, H, W, 3), [opaque(5, 5, **place)])
    assert composite.image.max() == 0
    assert composite.visible_alpha.max() == 0
    assert composite.covered.item() == 0
