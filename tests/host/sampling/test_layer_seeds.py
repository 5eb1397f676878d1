"""A layer with a seed of its own: its noise changes, and no other."""

from __future__ import annotations

import importlib
import inspect

import pytest
import torch


@pytest.fixture
def pointwise(model):
    """A MODEL in which no cell looks at another: what differs is the noise alone."""
    patched = model.clone()
    patched.set_model_unet_function_wrapper(lambda _, args: args["input"].sin() * 0.1)
    return patched


@pytest.fixture
def everywhere(run, pointwise, make_collage):
    """Samples of a collage with one noise, its left half the layer; inputs as the node's."""
    collage, start = make_collage(0.7), {"samples": torch.ones(1, 4, 8, 8)}

    def sample(**inputs) -> torch.Tensor:
        given = {"model": pointwise, "base_noise": 0.7, "steps": 4, "latent_image": start, **inputs}
        return run(collage, **given)[0]["samples"]

    return sample


def test_every_sampler_draws_the_layers_noise_from_its_seed(everywhere, any_sampler) -> None:
    """At the start and at every step, to the bit: as if the whole picture had that seed."""
    plain, other = (everywhere(sampler_name=any_sampler, seed=seed) for seed in (5, 77))
    mixed = everywhere(sampler_name=any_sampler, layer_seeds="1: 77")
    same = everywhere(sampler_name=any_sampler, layer_seeds="sushi: 5")
    assert torch.equal(same, plain)
    assert not torch.equal(mixed[..., :4], plain[..., :4])
    if any_sampler != "dpm_adaptive":  # the length of its steps hangs on all cells together
        assert torch.equal(mixed[..., 4:], plain[..., 4:])
        assert torch.equal(mixed[..., :4], other[..., :4])


def test_how_every_sampler_of_the_host_draws_is_known(pack) -> None:
    """A new one fails here: find out how it draws, and add it to its list."""
    import comfy.samplers

    solver = importlib.import_module(f"{pack.nodes.__name__}.host.sampling.solver")
    functions = {
        name: comfy.samplers.sampler_object(name).sampler_function
        for name in comfy.samplers.KSampler.SAMPLERS
    }
    drawing = {
        name: inspect.getsource(function)
        for name, function in functions.items()
        if "noise_sampler" in inspect.signature(function).parameters
    }
    assert [name for name in drawing if not solver.is_known(name, functions[name])] == []
    brownian = {name for name in drawing if name.removesuffix("_gpu") in solver.BROWNIAN}
    walking = {name for name, text in drawing.items() if "BrownianTreeNoiseSampler" in text}
    assert walking <= brownian <= drawing.keys()


@pytest.mark.parametrize("name", ["euler_new_sde", "foreign"])
def test_a_sampler_that_is_not_known_keeps_its_own_noise(
    everywhere, monkeypatch, request, caplog, name
) -> None:
    import comfy.k_diffusion.sampling
    import comfy.samplers

    given = []

    def sample_foreign(model, x, sigmas, extra_args, callback, disable, noise_sampler=None):
        given.append(noise_sampler)
        return model(x, sigmas[0].expand(len(x)), **extra_args)

    sampling = comfy.k_diffusion.sampling
    if name != "foreign":  # as a newer host would have it
        monkeypatch.setattr(sample_foreign, "__module__", sampling.__name__)
    monkeypatch.setattr(sampling, f"sample_{name}", sample_foreign, raising=False)
    names = comfy.samplers.KSampler.SAMPLERS  # other packs add to this very list
    names.append(name)
    request.addfinalizer(lambda: names.remove(name))
    plain = everywhere(sampler_name=name)
    assert "layer_seeds" not in caplog.text
    mixed = everywhere(sampler_name=name, layer_seeds="1: 77")
    assert f"input layer_seeds: how {name} makes the noise of its steps is not known" in caplog.text
    assert given == [None, None]
    assert not torch.equal(mixed[..., :4], plain[..., :4])
    assert torch.equal(mixed[..., 4:], plain[..., 4:])


def test_only_attention_carries_the_change_to_other_cells(run, model, make_collage) -> None:
    """The model is shown other noise in the layer's cells, and the same in all others."""
    seen = []

    def spy(apply_model, args):
        seen.append(args["input"][:1].clone())
        return apply_model(args["input"], args["timestep"], **args["c"])

    patched = model.clone()
    patched.set_model_unet_function_wrapper(spy)
    for text in ("", "1: 77"):
        run(make_collage(0.4, size=(128, 128)), model=patched, layer_seeds=text, steps=2)
    plain, mixed = seen[0], seen[len(seen) // 2]
    assert torch.equal(mixed[..., 8:], plain[..., 8:])
    assert (mixed[..., :8] != plain[..., :8]).all()
    assert mixed[..., :8].std() / plain[..., :8].std() == pytest.approx(1, abs=0.1)


def test_kept_cells_come_back_whatever_their_seed(run, vae, make_collage, left_half_kept) -> None:
    collage = make_collage(0.0)
    latent, _ = run(collage, layer_seeds="1: 77", sampler_name="dpmpp_2m_sde")
    left_half_kept(latent["samples"], vae.encode(collage.composite.image))


def test_every_picture_of_a_batch_has_its_own_noise(everywhere) -> None:
    given = {"samples": torch.ones(3, 4, 8, 8)}
    samples = everywhere(latent_image=given, layer_seeds="1: 77")
    assert not torch.equal(samples[0, ..., :4], samples[1, ..., :4])
    chosen = everywhere(
        latent_image={"samples": torch.ones(1, 4, 8, 8), "batch_index": [2]},
        layer_seeds="1: 77",
        sampler_name="euler",
    )
    of_three = everywhere(latent_image=given, layer_seeds="1: 77", sampler_name="euler")
    assert torch.equal(chosen[0], of_three[2])


def test_a_layer_that_is_not_there_is_refused_by_name(pack, run, make_collage) -> None:
    with pytest.raises(pack.collage_core.errors.CollageError, match="input layer_seeds: there is"):
        run(make_collage(0.4), layer_seeds="hat: 5")
