"""The measurement of words that a layer must not show: its collages and its table."""

from __future__ import annotations

import pytest
import torch

from demo.evaluate import negatives


def test_a_collage_leaves_one_colour_open_and_names_another() -> None:
    what = next(negatives.opened(negatives.NEGATIVES_SEED, 0.95))
    layers = what.case.collage.layers
    assert layers[what.layer].text == what.case.kinds[what.layer]
    told = what.named("purple").replaced(what.layer, negative="purple").case.collage
    assert "purple" in told.layers[what.other].text.split()
    assert told.layers[what.layer].negative == "purple"
    assert all(layer.text in told.prompt for layer in told.layers)
    assert told.prompt.count("purple") == 1
    assert not layers[what.layer].negative


def test_the_table_has_shares_and_the_errors_of_paired_differences() -> None:
    found = {
        "none": [torch.tensor([1.0, 1.0]), torch.tensor([0.5, 1.0])],
        "whole picture": [torch.tensor([0.0, 0.0]), torch.tensor([0.5, 1.0])],
        "layer": [torch.tensor([0.0, 1.0]), torch.tensor([0.5, 1.0])],
    }
    rows = negatives.table(found)
    assert rows["none"] == {
        "collages": 2, "layer": 0.75, "layer_error": 0.25, "other": 1.0, "other_error": 0.0,
    }  # fmt: skip
    assert rows["layer less none"]["layer"] == pytest.approx(-0.5)
    assert rows["layer less whole picture"]["other"] == pytest.approx(0.5)
