"""Bad input: a sentence that names node, input, value and remedy."""

from __future__ import annotations

import pytest
import torch


def assert_refused(pack, match: str, run, *args, **inputs) -> None:
    with pytest.raises(pack.collage_core.errors.CollageError, match=match):
        run(*args, **inputs)


def test_vae_of_another_latent_space_is_refused(pack, tiny, run, make_collage) -> None:
    import comfy.latent_formats

    collage = make_collage(0.2)
    sd3 = tiny.tiny_model(latent_format=comfy.latent_formats.SD3())
    assert_refused(pack, "input vae: .* 4 channels.* wants 16 channels", run, collage, model=sd3)
    coarse = comfy.latent_formats.SD15()
    coarse.spacial_downscale_ratio = 16
    wide = tiny.tiny_model(latent_format=coarse)
    assert_refused(pack, "per 8 pixels; .* per 16 pixels", run, collage, model=wide)


@pytest.mark.parametrize("name", ["model", "vae", "positive", "negative"])
def test_nothing_at_an_input_is_refused(pack, run, make_collage, name) -> None:
    assert_refused(
        pack, f"PerLayerNoiseKSampler, input {name}:", run, make_collage(0.2), **{name: None}
    )


def test_a_patcher_of_something_else_is_no_diffusion_model(pack, vae, run, make_collage) -> None:
    assert_refused(pack, "no diffusion model", run, make_collage(0.2), model=vae.patcher)


def test_vae_that_overflows_is_refused(pack, vae, run, make_collage, monkeypatch) -> None:
    monkeypatch.setattr(vae, "encode", lambda _: torch.full((1, 4, 8, 8), torch.nan))
    assert_refused(pack, "NaN .* --fp32-vae", run, make_collage(0.2))


def test_vae_for_films_is_refused_by_a_model_for_pictures(
    pack, vae, run, make_collage, monkeypatch
) -> None:
    monkeypatch.setattr(vae, "encode", lambda _: torch.zeros(1, 4, 1, 8, 8))
    assert_refused(pack, r"input vae: .* \[1, 4, 1, 8, 8\]", run, make_collage(0.2))


def test_latent_image_of_another_shape_is_refused(pack, run, make_collage) -> None:
    import comfy.nested_tensor

    bad = [
        torch.ones(1, 4, 8, 4),
        torch.ones(1, 16, 8, 8),
        torch.ones(1, 4, 1, 8, 8),
        comfy.nested_tensor.NestedTensor([torch.ones(1, 4, 8, 8)]),
    ]
    for samples in bad:
        assert_refused(
            pack, r"input latent_image: .* \[batch, 4, 8, 8\]", run, make_collage(0.2),
            latent_image={"samples": samples},
        )  # fmt: skip


def test_latent_image_of_another_batch_is_refused(pack, run, make_collage) -> None:
    given = {"samples": torch.ones(3, 4, 8, 8)}
    assert_refused(
        pack, "batch of 3 .* 2 pictures", run, make_collage(0.2, batch=2), latent_image=given
    )


def test_sampling_that_ends_in_nan_is_no_black_picture(pack, run, make_collage, model) -> None:
    broken = model.clone()
    broken.set_model_sampler_cfg_function(lambda args: args["cond"] * torch.nan)
    assert_refused(pack, "sampling ended in NaN", run, make_collage(0.5), model=broken)


@pytest.mark.parametrize(("steps", "noise", "most"), [(10_000, 0.01, 5000), (500, 0.0006, 300)])
def test_a_schedule_of_millions_of_levels_is_refused(
    pack, run, make_collage, steps, noise, most
) -> None:
    """The host makes steps / denoise levels one by one, and no interrupt ends that."""
    collage = make_collage(noise)
    match = rf"input steps: {steps} steps at a highest noise of .* Enter at most {most}\.$"
    assert_refused(pack, match, run, collage, base_noise=noise, steps=steps)
    run(collage, base_noise=noise, steps=3)
    run(make_collage(0.0), base_noise=0.0, steps=10_000)


@pytest.mark.parametrize(("steps", "noise", "lowest"), [(1, 0.6, "0.8"), (4, 0.15, "0.2")])
def test_noise_that_no_step_reaches_is_refused(
    pack, run, make_collage, steps, noise, lowest
) -> None:
    collage, few = make_collage(noise), {"steps": steps, "scheduler": "sgm_uniform"}
    said = rf'input steps: .* noise {lowest}\d*, so layer 1 "sushi" with noise {noise} would not'
    assert_refused(pack, said, run, collage, **few)
    run(collage, **{**few, "steps": 8})
