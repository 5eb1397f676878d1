"""Canvases, batches and the optional latent_image."""

from __future__ import annotations

import pytest
import torch


def test_canvas_that_64_does_not_divide(run, vae, make_collage) -> None:
    collage = make_collage(0.0, size=(72, 104))
    latent, noise_map = run(collage, feather=3.0)
    assert latent["samples"].shape == (1, 4, 9, 13)
    assert noise_map.shape == (1, 72, 104)
    original = vae.encode(collage.composite.image)
    assert torch.equal(latent["samples"][..., :4], original[..., :4])
    assert not torch.equal(latent["samples"][..., 9:], original[..., 9:])


def test_every_picture_of_a_batch_has_its_own_map(
    pack, run, vae, make_collage, left_half_kept
) -> None:
    collage = make_collage(0.0, batch=2)
    (layer,) = collage.layers
    alpha = torch.stack([torch.ones(64, 32), torch.zeros(64, 32)])
    layer = pack.collage_core.collage.layer.Layer(
        image=layer.image, alpha=alpha, text="sushi", x=0.25, noise=0.0
    )
    collage = collage.with_layers((layer,))
    latent, noise_map = run(collage)
    original = vae.encode(collage.composite.image)
    assert noise_map.shape == (2, 64, 64)
    left_half_kept(latent["samples"][:1], original[:1])
    assert (latent["samples"] - original)[1, ..., :4].abs().mean() > 0.01


def test_one_collage_serves_a_batch_of_latents(run, vae, make_collage, left_half_kept) -> None:
    collage = make_collage(0.0)
    original = vae.encode(collage.composite.image).repeat(3, 1, 1, 1)
    latent, noise_map = run(collage, latent_image={"samples": original})
    assert noise_map.shape == (1, 64, 64)
    left_half_kept(latent["samples"], original)
    assert not torch.equal(latent["samples"][0], latent["samples"][1])


def test_cfg_1(run, vae, make_collage, left_half_kept) -> None:
    collage = make_collage(0.0)
    latent, _ = run(collage, cfg=1.0)
    left_half_kept(latent["samples"], vae.encode(collage.composite.image))


def test_latent_image_is_sampled_instead_of_the_composite(run, ksampler, make_collage) -> None:
    given = {
        "samples": torch.randn(2, 4, 8, 8),
        "batch_index": [4, 1],
        "noise_mask": torch.ones(1, 64, 64),
        "note": "stays",
    }
    given["noise_mask"][:, :32] = 0.0
    before = {**given, "samples": given["samples"].clone()}
    latent, _ = run(make_collage(0.7), base_noise=0.7, latent_image=given)
    assert torch.equal(latent["samples"], ksampler(given, 0.7))
    assert latent["note"] == "stays"
    assert latent["noise_mask"] is given["noise_mask"]
    assert torch.equal(given["samples"], before["samples"])
    assert given.keys() == before.keys()


def test_noise_mask_of_latent_image_protects_what_the_map_would_free(run, make_collage) -> None:
    mask = torch.ones(1, 64, 64)
    mask[:, :32] = 0.0
    given = {"samples": torch.randn(1, 4, 8, 8), "noise_mask": mask}
    latent, _ = run(make_collage(0.0), latent_image=given)
    changed = (latent["samples"] - given["samples"]).abs().amax(1)[0] > 1e-3
    assert not changed[:4].any()
    assert not changed[:, :4].any()
    assert changed[4:, 4:].all()


def test_internal_mask_does_not_leave_the_node(run, make_collage) -> None:
    latent, _ = run(make_collage(0.2))
    assert latent.keys() == {"samples"}


def test_where_nothing_is_kept_an_empty_latent_is_ksamplers(run, ksampler, make_collage) -> None:
    import nodes

    (empty,) = nodes.EmptyLatentImage().generate(64, 64)
    latent, _ = run(make_collage(1.0), base_noise=1.0, latent_image=empty)
    assert torch.equal(latent["samples"], ksampler(empty, 1.0))


def empties() -> dict:
    from comfy_extras.nodes_sd3 import EmptySD3LatentImage

    import nodes

    (empty,) = nodes.EmptyLatentImage().generate(64, 64)
    (smaller,) = nodes.EmptyLatentImage().generate(32, 32, 2)
    (masked,) = nodes.SetLatentNoiseMask().set_mask(empty, torch.zeros(64, 64))
    (half,) = nodes.RepeatLatentBatch().repeat(empty, 2)
    half["samples"][0] = 1.0
    sixteen = EmptySD3LatentImage.execute(64, 64).args[0]
    return {
        "empty": empty, "of another size": smaller, "with 16 channels": sixteen,
        "with a noise mask": masked, "one of two": half,
    }  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["empty", "of another size", "with 16 channels", "with a noise mask", "one of two"]
)
def test_an_empty_latent_in_place_of_the_collage_is_refused(pack, run, make_collage, kind) -> None:
    """EmptyLatentImage as in every other workflow: the collage would not be in the picture."""
    error = pack.collage_core.errors.CollageError
    with pytest.raises(error, match=r"latent_image: it is empty.*Disconnect it"):
        run(make_collage(0.7), latent_image=empties()[kind])


def test_a_latent_that_is_zero_in_places_is_a_picture(run, make_collage) -> None:
    samples = torch.zeros(1, 4, 8, 8)
    samples[..., 0] = 1.0
    latent, _ = run(make_collage(0.0), latent_image={"samples": samples})
    assert torch.equal(latent["samples"][..., :4], samples[..., :4])


def test_halo_frees_what_is_kept_beside_a_layer(run, vae, make_collage) -> None:
    collage = make_collage(0.9, size=(128, 128))
    latent, noise_map = run(collage, base_noise=0.0, halo=24)
    original = vae.encode(collage.composite.image)
    changed = (latent["samples"] - original).abs().amax((0, 1, 2)) > 0
    assert changed.tolist() == [True] * 11 + [False] * 5
    assert noise_map[0, 0].gt(0).sum() == 64 + 24
