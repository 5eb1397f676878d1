"""A part of a batch gets the masks of its own pictures, or is refused: never the first ones."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch.testing import assert_close


@pytest.fixture
def moving(make_collage):
    """A collage whose first layer is in another third of the canvas in each of three pictures."""

    def make(**layer):
        collage = make_collage(batch=3, attract=5.0, repel=5.0, **layer)
        alpha = torch.zeros(3, 96, 80)
        for picture in range(3):
            alpha[picture, 32 * picture : 32 * (picture + 1)] = 1
        image = collage.layers[0].image.repeat(1, 1, 2, 1)
        first = dataclasses.replace(collage.layers[0], image=image, alpha=alpha, x=0.5)
        return collage.with_layers((first, collage.layers[1]))

    return make


@pytest.fixture
def paint(pack, vae, encode):
    """PerLayerNoiseKSampler with ComfyUI's own latent nodes before it: (samples, noise map)."""

    def run(collage, model, positive, latent=None, **inputs):
        given = {
            "vae": vae, "negative": encode("bad"), "seed": 5, "steps": 2, "cfg": 4.0,
            "sampler_name": "euler", "scheduler": "normal", "base_noise": 0.8, "feather": 0.0,
            "latent_image": latent, **inputs,
        }  # fmt: skip
        node = pack.nodes.sampling.PerLayerNoiseKSampler
        found, noise, preview = node.execute(
            collage=collage, model=model, positive=positive, **given
        ).args
        assert len(noise) == len(preview) == (1 if collage.layers[0].batch == 1 else len(noise))
        return found["samples"], noise

    return run


@pytest.fixture
def begun(vae):
    return lambda collage: {"samples": vae.encode(collage.composite.image)}


def take(latent: dict, start: int, length: int = 1) -> dict:
    import nodes

    return nodes.LatentFromBatch().frombatch(latent, start, length)[0]


@pytest.mark.parametrize("batch", [1, 2, 4, 6])
def test_the_hosts_sampler_does_not_tell_which_part(
    pack, make_collage, patch, sample, batch
) -> None:
    patched, positive, _ = patch(make_collage(batch=3))
    latent = {"samples": torch.zeros(batch, 4, 12, 10), "batch_index": [*range(batch)]}
    told = f"3 pictures, and which of them the {batch} are that are sampled is not known"
    with pytest.raises(pack.collage_core.errors.CollageError, match=told):
        sample(patched, positive, latent=latent)


@pytest.mark.parametrize("controlled", [False, True])
def test_latent_from_batch(pack, tiny, encode, moving, patch, paint, begun, controlled) -> None:
    collage = moving(noise=0.4)
    patched, positive, _ = patch(collage)
    inputs = {}
    if controlled:
        node, share = pack.nodes.control.CollageControlNet, {"start_percent": 0, "end_percent": 1}
        positive, against, _ = node.execute(
            positive, encode("bad"), tiny.tiny_control_net(), collage, strength=1.0, **share
        ).args
        inputs = {"negative": against}
    whole, noise = paint(collage, patched, positive, begun(collage), **inputs)
    for start, length in ((0, 1), (1, 2), (2, 1)):
        own = slice(start, start + length)
        part, part_noise = paint(
            collage, patched, positive, take(begun(collage), start, length), **inputs
        )
        assert_close(part, whole[own], atol=1e-3, rtol=1e-4)
        assert torch.equal(part_noise, noise[own])
    assert (whole[0] - whole[2]).abs().max() > 1e-2


def test_rebatch_latents(moving, patch, paint, begun) -> None:
    from comfy_extras.nodes_rebatch import LatentRebatch

    collage = moving()
    patched, positive, _ = patch(collage)
    whole, _ = paint(collage, patched, positive, begun(collage))
    (parts,) = LatentRebatch.execute([begun(collage)], [2]).args
    assert [part["batch_index"] for part in parts] == [[0, 1], [2]]
    found = [paint(collage, patched, positive, part)[0] for part in parts]
    assert_close(torch.cat(found), whole, atol=1e-3, rtol=1e-4)


def test_a_run_in_parts_of_one_picture(make_collage, patch, paint, begun) -> None:
    collage = make_collage(batch=2)
    patched, positive, _ = patch(collage)
    whole, _ = paint(collage, patched, positive, begun(collage), end_at_step=1)
    first, _ = paint(collage, patched, positive, take(begun(collage), 1), end_at_step=1)
    assert_close(first, whole[1:], atol=1e-3, rtol=1e-4)


def test_the_earliest_bias_of_two_parts_of_a_schedule_is_that_of_one(
    make_collage, patch, paint, begun
) -> None:
    """It counts from where the whole schedule begins, also in a part that begins later."""
    collage = make_collage(attract=5.0, repel=5.0)
    patched, positive, _ = patch(collage, schedule="earliest")
    whole, _ = paint(collage, patched, positive, steps=8)
    first, _ = paint(collage, patched, positive, steps=8, end_at_step=3)
    second, _ = paint(collage, patched, positive, {"samples": first}, steps=8, start_at_step=3)
    assert_close(second, whole, atol=1e-3, rtol=1e-4)


def test_latents_whose_pictures_are_not_known(pack, moving, patch, paint, begun) -> None:
    collage = moving()
    patched, positive, _ = patch(collage)
    repeated = begun(collage)["samples"].repeat(2, 1, 1, 1)
    for latent, told in (
        ({"samples": repeated}, "a batch of 6 with no batch_index does not say"),
        ({"samples": repeated[:1], "batch_index": [3]}, r"batch of 1 with the batch_index \[3\]"),
    ):
        with pytest.raises(pack.collage_core.errors.CollageError, match=told):
            paint(collage, patched, positive, latent)


@pytest.mark.parametrize("fix", [False, True])
def test_context_windows_over_the_batch(make_collage, patch, sample, fix) -> None:
    from comfy_extras.nodes_context_windows import ContextWindowsManualNode

    patched, positive, _ = patch(make_collage(batch=4))
    latent = {"samples": torch.zeros(4, 4, 12, 10)}
    whole = sample(patched, positive, latent=latent)
    windows: Any = ContextWindowsManualNode.execute(
        patched, 2, 1, "standard_static", 1, False, "pyramid", 0, False, causal_window_fix=fix
    )
    (windowed,) = windows.args
    assert_close(sample(windowed, positive, latent=latent), whole, atol=1e-3, rtol=1e-4)
