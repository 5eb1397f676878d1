"""What must equal the host's own KSampler, to the bit."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close


@pytest.mark.parametrize("noise", [0.3, 0.6, 1.0])
def test_one_noise_everywhere_is_ksampler(run, ksampler, vae, make_collage, noise) -> None:
    collage = make_collage(noise, noise)
    encoded = {"samples": vae.encode(collage.composite.image)}
    for feather in (0.0, 10.0):
        latent, noise_map = run(collage, base_noise=noise, feather=feather)
        assert torch.equal(latent["samples"], ksampler(encoded, noise))
        assert_close(noise_map, torch.full((1, 64, 64), noise))


def test_noise_zero_everywhere_returns_the_encoded_composite(
    run, model, vae, make_collage, monkeypatch
) -> None:
    def sampled(*args, **kwargs):
        raise AssertionError("the model was asked")

    monkeypatch.setattr(model.model.diffusion_model, "forward", sampled)
    collage = make_collage(0.0)
    latent, noise_map = run(collage, base_noise=0.0, feather=10.0)
    assert torch.equal(latent["samples"], vae.encode(collage.composite.image))
    assert not noise_map.any()


def test_a_collage_without_layers_is_painted_with_base_noise(
    run, ksampler, vae, make_collage
) -> None:
    collage = make_collage()
    latent, _ = run(collage, base_noise=0.7)
    assert torch.equal(
        latent["samples"], ksampler({"samples": vae.encode(collage.composite.image)}, 0.7)
    )


def test_hidden_layers_take_no_part(run, pack, make_collage) -> None:
    hidden = pack.collage_core.collage.layer.Layer(
        image=torch.zeros(1, 64, 64, 3),
        alpha=torch.ones(1, 64, 64),
        text="rice",
        noise=1.0,
        visible=False,
    )
    collage = make_collage(0.2)
    latent, noise_map = run(collage)
    same_latent, same_map = run(collage.with_layers((*collage.layers, hidden)))
    assert torch.equal(latent["samples"], same_latent["samples"])
    assert torch.equal(noise_map, same_map)


@pytest.mark.parametrize("name", ["euler", "euler_ancestral", "dpmpp_2m_sde", "uni_pc", "ddim"])
def test_what_came_later_changes_no_bit_unasked(
    pack, run, model, vae, prompts, make_collage, name
) -> None:
    """Against the way the node went before it had more than noise, base_noise and feather."""
    import comfy.sample

    core, apply = pack.collage_core, pack.nodes.host.sampling.denoise_mask.apply_free_cells
    noise = core.noise.noise_map
    collage = make_collage(0.0)
    pixels = noise.noise_map(collage.composite.visible_alpha, [0.0], 0.9, 6.0)
    cells = noise.cell_noise(pixels, 8)
    original = vae.encode(collage.composite.image)
    fixed = core.noise.release.fixed_cells(cells)
    sampled = comfy.sample.sample(
        apply(model, cells, 0.9), comfy.sample.prepare_noise(original, 5), 3, 4.0, name, "normal",
        **prompts, latent_image=original, denoise=0.9, noise_mask=(~fixed).float(), seed=5,
    )  # fmt: skip
    latent, noise_map = run(collage, base_noise=0.9, feather=6.0, sampler_name=name)
    assert torch.equal(latent["samples"], torch.where(fixed, original, sampled))
    assert torch.equal(noise_map, pixels.squeeze(1))


@pytest.mark.parametrize("start", [0.6, 1.0])
def test_a_mask_that_keeps_nothing_changes_no_bit(
    pack, model, vae, ksampler, make_collage, any_scheduler, start
) -> None:
    latent = {"samples": vae.encode(make_collage(size=(64, 64)).composite.image)}
    patched = pack.nodes.host.sampling.denoise_mask.apply_free_cells(
        model, torch.full((1, 1, 8, 8), start), start
    )
    masked = {**latent, "noise_mask": torch.ones(1, 1, 8, 8)}
    assert torch.equal(
        ksampler(masked, start, model=patched, scheduler=any_scheduler),
        ksampler(latent, start, scheduler=any_scheduler),
    )
