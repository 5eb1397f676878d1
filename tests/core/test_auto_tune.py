"""CollageAutoTune's rule: values from each layer's share of the canvas, bent by one dial."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from collage_core.collage.auto_tune import describe_tuning, tune
from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer


def make_layer(text: str, width: int, **options: Any) -> Layer:
    """A layer as high as the canvas of 64 x 64 pixels, `width` wide, at its left edge."""
    pixels = {"image": torch.zeros(1, 64, width, 3), "alpha": torch.ones(1, 64, width)}
    return Layer(text=text, x=width / 128, **pixels, **options)


def make_collage(*layers: Layer) -> Collage:
    prompt = " and ".join(layer.text for layer in layers)
    background = torch.zeros(1, 64, 64, 3)
    return Collage(width=64, height=64, prompt=prompt, background=background, layers=layers)


def values(layer: Layer) -> tuple[float, ...]:
    return layer.noise, layer.attract, layer.repel, layer.control


def test_the_middle_of_the_dial_is_the_authors_rule():
    tuned = tune(make_collage(make_layer("table", 64), make_layer("cake", 16)), 0.5)
    # three quarters of the table can be seen, the cake lies on top of a quarter
    assert values(tuned.layers[0]) == pytest.approx((0.65, 0.3, 0.525, 0.45))
    assert values(tuned.layers[1]) == pytest.approx((0.4, 0.5, 0.775, 0.75))


def test_the_dial_goes_from_preserve_to_harmonise():
    collage = make_collage(make_layer("table", 64), make_layer("cake", 16))
    tables = [tune(collage, dial).layers[0] for dial in (0.0, 0.3, 0.5, 0.8, 1.0)]
    assert [table.noise for table in tables] == sorted({table.noise for table in tables})
    controls = [table.control for table in tables]
    assert controls == sorted(set(controls), reverse=True)
    assert len({(table.attract, table.repel) for table in tables}) == 1
    assert tables[0].noise == pytest.approx(0.65**2, abs=5e-4)
    assert tables[-1].noise == pytest.approx(0.65**0.5, abs=5e-4)


def test_hidden_layers_keep_their_values_and_hide_nothing():
    hidden = make_layer("cake", 64, visible=False, noise=0.11)
    tuned = tune(make_collage(make_layer("table", 64), hidden), 0.5)
    assert tuned.layers[1] is hidden
    assert tuned.layers[0].noise == 0.4  # the topmost that is shown
    assert "is hidden and keeps its values" in describe_tuning(tuned).split("\n")[1]


def test_a_collage_without_layers_passes_through():
    empty = Collage(width=64, height=64, prompt="", background=torch.zeros(1, 64, 64, 3))
    assert tune(empty, 0.5).layers == ()
    assert "no layers" in describe_tuning(tune(empty, 0.5))


def test_what_was_computed_of_the_pixels_is_kept():
    collage = make_collage(make_layer("table", 64), make_layer("cake", 16))
    tuned = tune(collage, 0.2)
    assert tuned.composite is collage.composite
    assert tuned.layers[0].image is collage.layers[0].image
    assert collage.layers[0].noise == 0.6  # the given collage is as it was
