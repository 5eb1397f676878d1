"""The measurement of words that a layer must not show: its collages and its table."""

from __future__ import annotations

import pytest
import torch

from demo.evaluate import negatives


def test_a_collage_leaves_one_colour_open_and_names_another() -> None:
    what = next(negatives.opened(negatives.NEGATIVES_SEED, 0.95))
    layers = what.case.collage.layers
    assert layers[what.layer].text == what.case.kinds[what.layer]
    told = what.replaced(negative="purple").case.collage
    assert told.layers[what.layer].negative == "purple"
    assert what.named in layers[what.other].text.split()
    assert all(layer.text in told.prompt for layer in told.layers)
    assert not layers[what.layer].negative


def test_the_table_has_shares_and_the_errors_of_paired_differences() -> None:
    found = {
        "none": [torch.tensor([1.0, 1.0, 0.0]), torch.tensor([0.5, 1.0, 0.0])],
        "whole picture": [torch.tensor([0.0, 0.0, 9.0]), torch.tensor([0.5, 1.0, 7.0])],
        "layer": [torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.5, 1.0, 4.0])],
    }
    rows = negatives.table(found)
    assert rows["none"]["forbidden"] == 0.75
    assert rows["none"]["forbidden, error"] == 0.25
    assert rows["layer less none"]["forbidden"] == pytest.approx(-0.5)
    assert rows["layer less whole picture"]["other's own"] == pytest.approx(0.5)
    assert rows["layer less whole picture"]["change elsewhere"] == pytest.approx(-5)
    assert rows["layer less whole picture"]["change elsewhere, error"] == pytest.approx(2)
