"""What the bias needs on the device is made once for a run, and is gone with it."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch


@pytest.fixture
def made(pack, monkeypatch):
    """Weak references to the weights that were made, in order."""
    bias, found = pack.collage_core.attention.bias.AttentionBias, []
    weights_of = bias.weights_of

    def noted(self, cells, size):
        weights = weights_of(self, cells, size)
        found.append(weakref.ref(weights))
        return weights

    monkeypatch.setattr(bias, "weights_of", noted)
    return found


def test_weights_are_made_once_for_each_size_of_block(make_collage, patch, sample, made) -> None:
    patched, positive, _ = patch(make_collage())
    sample(patched, positive, steps=4)
    assert len(made) == 2  # the tiny UNet attends at two resolutions
    gc.collect()
    assert [weights() for weights in made] == [None, None]
    sample(patched, positive, steps=1)
    assert len(made) == 4


def test_an_error_frees_them_too(make_collage, patch, sample, made) -> None:
    patched, positive, _ = patch(make_collage())

    def fails(*_):
        raise ZeroDivisionError

    failing = patched.clone()
    failing.set_model_sampler_post_cfg_function(fails)
    with pytest.raises(ZeroDivisionError):
        sample(failing, positive, steps=1)
    gc.collect()
    assert [weights() for weights in made] == [None, None]


def test_a_shrunken_block_gets_weights_of_its_own_size(
    paper, make_collage, patch, sample, spy, made
) -> None:
    """As Deep Shrink makes them: not of the size that the model has as it is."""
    from comfy_extras.nodes_model_downscale import PatchModelAddDownscale

    collage = make_collage(size=(128, 128))
    patched, positive, _ = patch(collage)
    (shrunken,) = PatchModelAddDownscale.execute(
        patched, 1, 2.0, 0.0, 1.0, True, "bilinear", "bilinear"
    ).args
    sample(spy.follow(shrunken), positive, cells=(16, 16), steps=1)
    sizes = {block["grid"] for block in spy.calls[0]["blocks"]}
    assert sizes == {(16, 16), (4, 4)}
    assert len(made) == 3
    for block in spy.calls[0]["blocks"]:
        masks, _ = paper.masks_of(block, collage)
        f = paper.factor(spy.calls[0]["sigma"])
        wanted = paper.attention(block, 1, masks, collage, f)
        torch.testing.assert_close(block["out"][1], wanted, atol=1e-4, rtol=1e-4)
