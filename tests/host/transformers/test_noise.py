"""Per-layer noise on every family: what the network sees of cells that are kept and set free."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

FAMILIES = [
    "flux", "flux2", "chroma", "sd3", "qwen_image", "zimage", "lumina2", "wan", "wan22",
    "cosmos_predict2", "anima", "aura_flow", "ltxv", "hunyuan_image", "hunyuan_video",
    "kandinsky5", "omnigen2", "lens", "joyimage", "krea2", "hidream", "pixart", "ernie",
]  # fmt: skip
SHOWN_CLEAN = ["cosmos_predict2", "ltxv", "hunyuan_video", "wan22"]  # by the host's KSampler
SIZE, ODD = (10, 18), (9, 17)
EVEN = ("kandinsky5", "hunyuan_video", "pixart")  # these refuse odd latents
STEPS = 8
GIVEN = {"steps": STEPS, "cfg": 2.0, "sampler_name": "euler", "scheduler": "simple"}


@pytest.fixture
def run(pack, transformers):
    """Sample a family as the node does; inputs that a test does not name are those of GIVEN."""
    core, sampling = pack.collage_core.noise, pack.nodes.host.sampling

    def sample(family: str, cells: torch.Tensor, *, model=None, seeds=None, begin=None, **inputs):
        model = transformers.tiny_transformer(family) if model is None else model
        x = transformers.latents(family, *cells.shape[-2:])
        steps = core.plan.StepRange(*inputs.pop("steps_range", ()))
        plan = core.plan.SamplingPlan(
            seeds or core.seeds.NoiseSeeds(5), steps, inputs.pop("renoise", "host")
        )
        begin = begin or sampling.partial_run.Start({"samples": x}, None, None)
        noises = {"the background": cells.max().item()}
        given = {**GIVEN, **prompts(transformers, family), **inputs}
        found = sampling.ksampler.sample_cells(model, begin, cells, noises, plan, **given)
        return SimpleNamespace(x=x, samples=found["samples"], latent=found, model=model)

    return sample


def prompts(transformers, family: str) -> dict[str, list]:
    return {
        "positive": transformers.text(family, 20, seed=3),
        "negative": transformers.text(family, 20, seed=8),
    }


@pytest.fixture
def watched(transformers):
    """A model of a family, and per call the latent and the level that it gets."""
    from comfy.patcher_extension import WrappersMP

    def make(family: str) -> tuple[Any, list]:
        model, seen = transformers.tiny_transformer(family), []

        def apply_model(executor, x, t, *args, **kwargs):
            seen.append((x[-1:].clone(), t[:1].clone()))
            return executor(x, t, *args, **kwargs)

        model.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "watch", apply_model)
        return model, seen

    return make


def three_strips(size: tuple[int, int]) -> torch.Tensor:
    """A map of noise 0, 0.5 and 1, from left to right."""
    cells, third = torch.ones(1, 1, *size), size[1] // 3
    cells[..., :third], cells[..., third : 2 * third] = 0.0, 0.5
    return cells


def size_of(family: str) -> tuple[int, int]:
    if family == "pixart":
        return 34, 36  # smaller ones have no positions
    return SIZE if family in EVEN else ODD


def under_noise(model, x: torch.Tensor, sigma: torch.Tensor, seed: int = 5) -> torch.Tensor:
    """The latent under the noise of this level, as the host begins a run with it."""
    import comfy.sample

    level = sigma.view(-1, *[1] * (x.ndim - 1))
    noise, clean = comfy.sample.prepare_noise(x, seed), model.model.process_latent_in(x.clone())
    return model.get_model_object("model_sampling").noise_scaling(level, noise, clean)


@pytest.mark.parametrize("family", FAMILIES)
def test_kept_cells_are_under_their_levels_noise_until_they_are_free(
    pack, run, watched, family
) -> None:
    size = size_of(family)
    third, cells = size[1] // 3, three_strips(size)
    model, seen = watched(family)
    found = run(family, cells, model=model)
    fraction = pack.collage_core.noise.release.schedule_fraction
    table = model.model.model_sampling.sigmas
    assert len(seen) >= STEPS
    before = 1.0
    for x, sigma in seen[:: len(seen) // STEPS]:
        due = under_noise(model, found.x, sigma)
        near = {"atol": 1e-4 * max(1.0, sigma.item()), "rtol": 0}
        assert torch.allclose(x[..., 0], due[..., 0], **near), sigma
        half = torch.allclose(x[..., third + third // 2], due[..., third + third // 2], **near)
        assert half == (before > 0.5), (sigma, before)  # as it was when the last step ended
        before = fraction(sigma, table)
    assert torch.equal(found.samples[..., :third], found.x[..., :third])
    assert found.samples.isfinite().all()
    assert (found.samples - found.x)[..., third:].abs().amin(-3).flatten().median() > 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_one_noise_everywhere_is_ksampler_to_the_bit(
    run, transformers, host_ksampler, family
) -> None:
    size = size_of(family)
    found = run(family, torch.full((1, 1, *size), 0.6), steps=4)
    wanted = host_ksampler(
        transformers.tiny_transformer(family), **prompts(transformers, family),
        latent={"samples": found.x}, denoise=0.6, **{**GIVEN, "steps": 4},
    )  # fmt: skip
    assert torch.equal(found.samples, wanted)


@pytest.mark.parametrize("family", ["cosmos_predict2", "ltxv", "wan22"])
def test_the_network_takes_all_cells_for_cells_of_one_level(run, watched, family) -> None:
    """These get a denoise mask, and would take what is kept for finished cells or frames."""
    from comfy.patcher_extension import WrappersMP

    (model, seen), times = watched(family), []

    def forward(executor, x, timestep, *args, **kwargs):
        times.append(timestep.flatten().clone())
        return executor(x, timestep, *args, **kwargs)

    model.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "watch", forward)
    run(family, three_strips(ODD), model=model, steps=2)
    assert len(times) == len(seen) >= 2
    for time, (_, sigma) in zip(times, seen, strict=True):
        due = model.model.model_sampling.timestep(sigma)
        torch.testing.assert_close(time, due.expand_as(time))


@pytest.mark.parametrize("family", SHOWN_CLEAN)
@pytest.mark.parametrize("name", ["euler", "euler_cfg_pp", "uni_pc"])
def test_fresh_noise_and_every_kind_of_sampler(run, watched, family, name) -> None:
    size = size_of(family)
    model, seen = watched(family)
    found = run(
        family, three_strips(size), model=model, steps=3, sampler_name=name, renoise="paper"
    )
    assert torch.equal(found.samples[..., : size[1] // 3], found.x[..., : size[1] // 3])
    noises = {}
    for x, sigma in seen:
        if sigma < 0.1:
            continue
        due = {seed: under_noise(model, found.x, sigma, seed)[..., 0] for seed in (5, 6)}
        spread = (x[..., 0] - due[5]).std() / (due[6] - due[5]).std()
        assert 0.7 < spread < 1.3  # as far from the run's own noise as any other noise
        noises.setdefault(sigma.item(), x[..., 0])
        torch.testing.assert_close(x[..., 0], noises[sigma.item()], atol=1e-4, rtol=1e-4)
    assert len(noises) > 1


@pytest.mark.parametrize("family", ["flux", "flux2", "wan22", "ltxv", "hunyuan_image"])
def test_kept_places_grow_by_pixels(run, watched, transformers, family) -> None:
    """24 pixels at the beginning: 3 cells of 8 pixels, 2 of 16, or 1 of 32."""
    cells, (model, seen) = torch.ones(1, 1, *ODD), watched(family)
    cells[..., :4] = 0.0
    found = run(family, cells, model=model, steps=20, steps_range=(0, 2))
    x, sigma = seen[len(seen) // 2]
    same = (x - under_noise(model, found.x, sigma)).abs().amax((0, 1, -2)).flatten() < 1e-4
    pixels = model.model.latent_format.spacial_downscale_ratio
    assert int(same.sum()) == 4 + {8: 3, 16: 2, 32: 1}[pixels]


@pytest.mark.parametrize("family", ["flux", "qwen_image", "wan22", "ltxv", "cosmos_predict2"])
@pytest.mark.parametrize("renoise", ["host", "paper"])
def test_two_parts_are_one_run(pack, run, family, renoise) -> None:
    cells, given = three_strips(ODD), {"renoise": renoise, "steps": 6}
    start = pack.nodes.host.sampling.partial_run.Start
    whole = run(family, cells, **given)
    first = run(family, cells, **given, steps_range=(0, 2))
    noisy = start({"samples": whole.x}, first.samples, None)
    second = run(family, cells, **given, steps_range=(2, 10), begin=noisy)
    torch.testing.assert_close(second.samples, whole.samples, atol=5e-3, rtol=1e-3)
    assert torch.equal(second.samples[..., :5], whole.x[..., :5])


@pytest.mark.parametrize("family", ["flux", "flux2", "qwen_image", "ltxv"])
@pytest.mark.parametrize("name", ["euler", "euler_ancestral", "dpmpp_2m_sde"])
def test_a_layers_seed_rules_its_own_cells(pack, run, watched, family, name) -> None:
    left = torch.arange(ODD[1]).expand(1, 1, *ODD) < 8
    seeds = pack.collage_core.noise.seeds.NoiseSeeds
    model, seen = watched(family)
    given = {"sampler_name": name, "steps": 3}
    mixed = run(family, torch.ones(1, 1, *ODD), model=model, seeds=seeds(5, ((77, left),)), **given)
    x, sigma = seen[0]
    for columns, seed in ((slice(None, 8), 77), (slice(8, None), 5)):
        due = under_noise(model, mixed.x, sigma, seed)
        torch.testing.assert_close(x[..., columns], due[..., columns], atol=1e-3, rtol=0)
    plain = run(family, torch.ones(1, 1, *ODD), **given)
    assert not torch.equal(mixed.samples, plain.samples)


def shifted(family: str, model):
    """The model behind the host's own node for the schedule of its family."""
    from comfy_extras import nodes_model_advanced as advanced

    if family in ("flux", "flux2"):
        return advanced.ModelSamplingFlux().patch(model, 1.15, 0.5, 1024, 1024)[0]
    if family == "aura_flow":
        return advanced.ModelSamplingAuraFlow().patch_aura(model, 1.73)[0]
    return advanced.ModelSamplingSD3().patch(model, 6.0)[0]


@pytest.mark.parametrize("family", ["flux", "flux2", "aura_flow", "sd3", "zimage", "wan", "ltxv"])
def test_shift_guidance_and_cfg_1(pack, run, watched, transformers, host_ksampler, family) -> None:
    import node_helpers

    (model, seen), cells = watched(family), three_strips(ODD)
    model = shifted(family, model)
    both = prompts(transformers, family)
    if family in ("flux", "ltxv"):
        both["positive"] = node_helpers.conditioning_set_values(both["positive"], {"guidance": 3.5})
    found = run(family, cells, model=model, cfg=1.0, **both)
    assert torch.equal(found.samples[..., :5], found.x[..., :5])
    fraction = pack.collage_core.noise.release.schedule_fraction
    before, table = 1.0, model.get_model_object("model_sampling").sigmas
    for x, sigma in seen:
        due = under_noise(model, found.x, sigma)
        assert torch.allclose(x[..., 7], due[..., 7], atol=1e-4, rtol=0) == (before > 0.5)
        before = fraction(sigma, table)
    even = run(family, torch.full((1, 1, *ODD), 0.6), model=model, cfg=1.0, **both)
    wanted = host_ksampler(
        model, **both, latent={"samples": even.x}, denoise=0.6, **{**GIVEN, "cfg": 1.0}
    )
    assert torch.equal(even.samples, wanted)
