"""When a cell is set free, seen from the model, and who else has a say."""

from __future__ import annotations

import pytest
import torch


@pytest.mark.parametrize("growth", [None, 0, 8])
def test_the_model_sees_kept_cells_as_the_original_under_noise(
    run, model, vae, make_collage, growth
) -> None:
    """Cell by cell and step by step, from what reaches the UNet: t / 1000 > noise, dilated."""
    import comfy.sample

    seen = []

    def spy(apply_model, args):
        seen.append((args["timestep"][0], args["input"][:1].clone()))
        return apply_model(args["input"], args["timestep"], **args["c"])

    patched = model.clone()
    patched.set_model_unet_function_wrapper(spy)
    collage = make_collage(0.5, size=(128, 128))
    given = {} if growth is None else {"grow_kept_by": growth}
    run(collage, model=patched, base_noise=0.9, steps=10, **given)

    original = model.model.process_latent_in(vae.encode(collage.composite.image))
    noise = comfy.sample.prepare_noise(original, 5)
    edges = []
    for sigma, x in seen[1:]:  # in the first step every cell is the original under noise
        t = model.model.model_sampling.timestep(sigma).item()
        kept = torch.zeros(16, 16, dtype=torch.bool)
        if t / 1000 > 0.5:
            kept[:, : 8 + int((4 if growth is None else growth) * t / 1000)] = True
        as_original = ((x - original - noise * sigma).abs() < 1e-4).all(1)[0]
        assert torch.equal(as_original, kept), t
        edges.append(int(kept[0].sum()))
    assert edges[0] > edges[-1] == 0
    assert len(set(edges)) >= (2 if growth == 0 else 3)


@pytest.mark.parametrize(
    "kind",
    ["EPS", "V_PREDICTION", "V_PREDICTION_EDM", "EDM", "V_PREDICTION_CONTINUOUS", "FLOW", "FLUX",
     "FLOW_COSMOS", "STABLE_CASCADE"],
)  # fmt: skip
def test_fraction_of_every_schedule_inverts_its_percentages(pack, tiny, kind) -> None:
    """The host's own scale: start and end percentages of a ControlNet, `denoise` of a sampler."""
    import comfy.model_base

    model_sampling = comfy.model_base.model_sampling(
        tiny.config(), comfy.model_base.ModelType[kind]
    )
    fraction = pack.collage_core.noise.release.schedule_fraction
    for percent in (0.01, 0.2, 0.5, 0.83, 0.99):
        sigma = torch.tensor([float(model_sampling.percent_to_sigma(percent))])
        found = fraction(sigma, model_sampling.sigmas)
        assert found == pytest.approx(1 - percent, abs=2e-3)


def test_fraction_of_sd_is_the_papers_timestep(pack, model) -> None:
    model_sampling = model.model.model_sampling
    between = (model_sampling.sigmas[1:] + model_sampling.sigmas[:-1]) / 2
    for sigma in between[::7].split(1):
        expected = model_sampling.timestep(sigma).item() / 1000
        assert (
            pack.collage_core.noise.release.schedule_fraction(sigma, model_sampling.sigmas)
            == expected
        )


def test_shifted_flow_counts_along_its_schedule(pack, tiny) -> None:
    """Time shifted by 3: sigma 0.75 stands in the middle, where KSampler starts at denoise 0.5."""
    import comfy.model_base

    model_sampling = comfy.model_base.model_sampling(tiny.config(), comfy.model_base.ModelType.FLOW)
    model_sampling.set_parameters(shift=3.0)
    fraction = pack.collage_core.noise.release.schedule_fraction
    assert fraction(torch.tensor([0.75]), model_sampling.sigmas) == pytest.approx(0.5, abs=2e-3)
