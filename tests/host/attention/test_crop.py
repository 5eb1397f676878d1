"""A crop of the canvas has the words and the control of its own part."""

from __future__ import annotations

import dataclasses
import logging

import pytest
import torch
from torch.testing import assert_close

RIGHT = {"x": 40, "y": 0, "width": 40, "height": 48}  # a quarter of 80 x 96 pixels


def quarter(collage):
    """What RIGHT shows, as a collage of its own: every layer is moved, no mask is drawn anew."""
    layers = tuple(
        dataclasses.replace(layer, x=2 * layer.x - 1, y=2 * layer.y) for layer in collage.layers
    )
    background = collage.background[:, :48, 40:]
    return dataclasses.replace(collage, layers=layers, width=40, height=48, background=background)


@pytest.fixture
def refused(pack):
    def check(match: str):
        return pytest.raises(pack.collage_core.errors.CollageError, match=match)

    return check


@pytest.mark.parametrize("cells", [(6, 5), (12, 10)])
def test_words_of_a_crop(make_collage, patch, sample, cells) -> None:
    """At its own size and, as detailers do it, at twice that size."""
    collage = make_collage(attract=4.0, repel=4.0)
    asked = sample(*patch(collage, crop=RIGHT)[:2], cells=cells)
    wanted = sample(*patch(quarter(collage))[:2], cells=cells)
    whole = sample(*patch(collage)[:2], cells=cells)
    assert_close(asked, wanted, atol=1e-3, rtol=1e-4)
    assert (asked - whole).abs().max() > 1e-2


def test_control_of_a_crop(make_collage, control, sample, encode, model) -> None:
    collage = make_collage()
    positive, negative, image = control(collage, encode(), crop=RIGHT)
    _, _, whole = control(collage, encode())
    assert torch.equal(image, whole[:, :48, 40:])
    shown = {"control_image": image}  # the edges at a crop's rim are those of the whole picture
    one, other, _ = control(quarter(collage), encode(), **shown)
    asked = sample(model, positive, negative=negative)
    assert_close(asked, sample(model, one, negative=other), atol=1e-3, rtol=1e-4)
    again, other, _ = control(collage, encode(), crop=RIGHT, **shown)
    assert_close(sample(model, again, negative=other), asked)


def test_the_report_counts_the_crop(make_collage, patch) -> None:
    _, _, report = patch(make_collage(), crop=RIGHT)
    assert "Places are those in the crop of 40 x 48 pixels at x 40, y 0 of the canvas." in report
    _, _, wanted = patch(quarter(make_collage()))
    assert report.splitlines()[2:] == wanted.splitlines()[1:]


def test_a_crop_meets_the_whole_canvas(
    pack, vae, make_collage, patch, sample, control, encode, refused
) -> None:
    collage = make_collage()
    patched, positive, _ = patch(collage, crop=RIGHT)
    given = {
        "vae": vae, "seed": 5, "steps": 2, "cfg": 4.0, "sampler_name": "euler",
        "scheduler": "normal", "base_noise": 0.8, "feather": 0.0, "collage": collage,
    }  # fmt: skip
    paint = pack.nodes.sampling.PerLayerNoiseKSampler.execute
    told = "made it for the crop of 40 x 48 pixels at x 40, y 0, and here it meets the whole"
    with refused(f"^PerLayerNoiseKSampler, input positive: MaskedCrossAttentionPatch {told}"):
        paint(model=patched, positive=positive, negative=encode("bad"), **given)
    _, other, _ = control(collage, encode(), crop=RIGHT)
    with refused(f"^PerLayerNoiseKSampler, input negative: CollageControlNet {told}"):
        paint(model=patched, positive=encode(), negative=other, **given)
    with refused(f"^CollageControlNet, input positive: MaskedCrossAttentionPatch {told}"):
        control(collage, positive)
    with refused("made it for the whole canvas, and here it meets the crop of 40 x 48"):
        control(collage, patch(collage)[1], crop=RIGHT)
    control(collage, positive, crop=RIGHT)
    with refused(f"^CollageAttentionMap, input model: MaskedCrossAttentionPatch {told}"):
        pack.nodes.attention_map.CollageAttentionMap.execute(
            patched, collage, {"samples": torch.ones(1, 4, 12, 10)}, 1, 0
        )


def test_a_latent_of_other_proportions_than_the_crop(
    make_collage, patch, sample, control, encode, model, refused
) -> None:
    wide = {**RIGHT, "height": 24}
    patched, positive, _ = patch(make_collage(), crop=wide)
    with refused("input crop: the crop of 40 x 24 pixels has another shape than the latent of 10"):
        sample(patched, positive)
    with refused("have other proportions than the crop of 40 x 24"):
        control(make_collage(), encode(), crop=wide, control_image=torch.ones(1, 96, 80, 3))
    one, other, _ = control(make_collage(), encode(), crop=wide)
    with refused("CollageControlNet, input crop: the crop of 40 x 24 pixels has another shape"):
        sample(model, one, negative=other)


@pytest.mark.parametrize("name", ["MaskedCrossAttentionPatch", "CollageControlNet"])
def test_a_box_that_is_none(make_collage, patch, control, encode, refused, name) -> None:
    node = patch if name == "MaskedCrossAttentionPatch" else None
    with refused(f"^{name}, input crop: .* does not lie on the canvas"):
        box = {**RIGHT, "x": 41}
        node(make_collage(), crop=box) if node else control(make_collage(), encode(), crop=box)


def test_another_size_than_the_canvas_is_told(make_collage, patch, sample, caplog) -> None:
    caplog.set_level(logging.INFO)
    patched, positive, _ = patch(make_collage())
    sample(patched, positive)
    assert "is taken for all of the canvas" not in caplog.text
    sample(patched, positive, cells=(24, 20))
    told = "the latent of 20 x 24 cells is taken for all of the canvas of 80 x 96 pixels."
    assert caplog.text.count(told) == 1
