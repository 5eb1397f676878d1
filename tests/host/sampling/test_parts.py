"""A run in two parts: the first sampler leaves noise, the second goes on from it."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.testing import assert_close

KEY = "collage_original"


@pytest.fixture
def in_two(run):
    """The samples of one run and of the same run in two parts; 6 steps, 2 of them first."""

    def sample(collage, **inputs) -> tuple[torch.Tensor, torch.Tensor]:
        given = {"steps": 6, "base_noise": 0.9, "sampler_name": "euler", **inputs}
        whole, _ = run(collage, **given)
        first, _ = run(collage, **given, end_at_step=2)
        second, _ = run(collage, **{**given, "latent_image": first}, start_at_step=2)
        return whole["samples"], second["samples"]

    return sample


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"renoise": "paper"},
        {"layer_seeds": "2: 77"},
        {"sampler_name": "heun", "halo": 8, "feather": 6.0},
        {"sampler_name": "ddim"},
        {"cfg": 1.0, "scheduler": "karras"},
    ],
)
def test_two_parts_are_one_run(in_two, vae, make_collage, left_half_kept, inputs) -> None:
    """Layers of noise 0 and, right above, of 0.3: kept in the first part, free in the second."""
    collage = make_collage(0.0)
    core_layer = type(collage.layers[0])
    generator = torch.Generator().manual_seed(1)
    low = core_layer(
        image=torch.rand(1, 64, 32, 3, generator=generator),
        alpha=torch.ones(1, 64, 32),
        text="sushi",
        x=0.75,
        noise=0.3,
    )
    collage = collage.with_layers((*collage.layers, low))
    whole, parts = in_two(collage, **inputs)
    assert_close(parts, whole, atol=2e-3, rtol=0)
    if "halo" not in inputs:
        left_half_kept(parts, vae.encode(collage.composite.image))


def test_two_parts_are_one_run_for_flow_models(tiny, in_two, make_collage) -> None:
    import comfy.model_base

    flow = tiny.tiny_model(model_type=comfy.model_base.ModelType.FLOW)
    whole, parts = in_two(make_collage(0.2), model=flow, scheduler="simple")
    assert_close(parts, whole, atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", ["euler", "euler_ancestral", "heun", "dpmpp_2m_sde", "uni_pc"])
def test_with_one_noise_parts_are_ksampler_advanceds(
    run, ksampler, vae, make_collage, name
) -> None:
    collage = make_collage(0.7)
    inputs = {"sampler_name": name, "steps": 5}
    encoded = {"samples": vae.encode(collage.composite.image)}
    first, _ = run(collage, base_noise=0.7, end_at_step=2, **inputs)
    assert torch.equal(first["samples"], ksampler(encoded, 0.7, last_step=2, **inputs))
    second, _ = run(collage, base_noise=0.7, start_at_step=2, latent_image=first, **inputs)
    theirs = ksampler(first, 0.7, start_step=2, disable_noise=True, **inputs)
    assert torch.equal(second["samples"], theirs)


def test_without_a_latent_image_noise_is_added_where_it_starts(
    run, ksampler, vae, make_collage
) -> None:
    collage = make_collage(0.7)
    encoded = {"samples": vae.encode(collage.composite.image)}
    latent, _ = run(collage, base_noise=0.7, steps=5, start_at_step=2)
    assert torch.equal(latent["samples"], ksampler(encoded, 0.7, start_step=2, steps=5))


def test_the_first_part_leaves_noise_in_kept_places_too(run, model, vae, make_collage) -> None:
    import comfy.samplers

    collage = make_collage(0.0, size=(128, 128))
    latent, _ = run(collage, steps=6, sampler_name="euler", base_noise=1.0, end_at_step=2)
    to_model = model.model.process_latent_in
    noise = to_model(latent["samples"]) - to_model(vae.encode(collage.composite.image))
    sigmas = comfy.samplers.calculate_sigmas(model.model.model_sampling, "normal", 6)
    assert noise[..., :8].std().item() == pytest.approx(sigmas[2].item(), rel=0.1)


def test_kept_places_are_made_of_what_the_first_part_began_with(
    in_two, make_collage, left_half_kept
) -> None:
    begun = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    for name in ("euler", "euler_ancestral", "dpmpp_sde"):
        whole, parts = in_two(make_collage(0.0), latent_image={"samples": begun}, sampler_name=name)
        left_half_kept(parts, begun)
        left_half_kept(whole, begun)


@pytest.mark.parametrize("copies", [1, 3])
def test_a_latent_that_lost_its_original_is_made_of_the_composite(
    run, vae, make_collage, left_half_kept, copies
) -> None:
    collage, inputs = make_collage(0.0), {"steps": 6, "sampler_name": "euler"}
    first, _ = run(collage, **inputs, end_at_step=2)
    saved = {"samples": first["samples"].repeat(copies, 1, 1, 1)}
    second, _ = run(collage, **inputs, start_at_step=2, latent_image=saved)
    original = vae.encode(collage.composite.image)
    left_half_kept(second["samples"], original.repeat(copies, 1, 1, 1))
    with_key = {**first, "samples": saved["samples"]}
    again, _ = run(collage, **inputs, start_at_step=2, latent_image=with_key)
    assert torch.equal(again["samples"], second["samples"])


def test_three_parts_hand_the_original_on(run, vae, make_collage, left_half_kept) -> None:
    collage, inputs = make_collage(0.0), {"steps": 6, "sampler_name": "euler"}
    latent, _ = run(collage, **inputs, end_at_step=2)
    for start, end in ((2, 4), (4, 6)):
        assert KEY in latent
        before = {**latent}
        latent, _ = run(
            collage, **inputs, start_at_step=start, end_at_step=end, latent_image=latent
        )
        assert all(before[key] is not latent["samples"] for key in before)
    assert latent.keys() == {"samples"}
    left_half_kept(latent["samples"], vae.encode(collage.composite.image))


def test_a_run_from_the_start_takes_no_notice_of_an_original(run, make_collage) -> None:
    picture = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    plain, _ = run(make_collage(0.0), latent_image={"samples": picture})
    stale, _ = run(make_collage(0.0), latent_image={"samples": picture, KEY: torch.ones(1)})
    assert torch.equal(stale["samples"], plain["samples"])
    assert KEY not in stale


def test_noise_zero_everywhere_has_no_steps_to_divide(run, vae, make_collage) -> None:
    collage = make_collage(0.0)
    original = vae.encode(collage.composite.image)
    first, _ = run(collage, base_noise=0.0, end_at_step=1)
    second, _ = run(collage, base_noise=0.0, start_at_step=1, latent_image=first)
    assert torch.equal(first["samples"], original)
    assert torch.equal(second["samples"], original)


@pytest.mark.parametrize(
    ("samples", "match"), [(0.0, "it is empty"), (1.0, "it holds far less noise")]
)
def test_what_is_no_latent_under_way_is_refused(pack, run, make_collage, samples, match) -> None:
    latent = {"samples": torch.full((1, 4, 8, 8), samples)}
    with pytest.raises(pack.collage_core.errors.CollageError, match=f"latent_image: {match}"):
        run(make_collage(0.2), latent_image=latent, start_at_step=1)


def test_a_finished_picture_is_refused_where_noise_is_due(pack, run, vae, make_collage) -> None:
    collage = make_collage(0.2)
    finished = {"samples": vae.encode(collage.composite.image)}
    with pytest.raises(pack.collage_core.errors.CollageError, match="far less noise"):
        run(collage, latent_image=finished, steps=6, start_at_step=3)


@pytest.mark.parametrize(
    ("start", "end", "match"),
    [(2, 2, "end_at_step: 2"), (-1, 9, "start_at_step: -1"), (3, 9, "the last of 3 steps")],
)
def test_steps_that_do_not_exist_are_refused(pack, run, make_collage, start, end, match) -> None:
    with pytest.raises(pack.collage_core.errors.CollageError, match=match):
        run(make_collage(0.2), start_at_step=start, end_at_step=end)


@pytest.mark.parametrize(
    "other",
    [{"start_at_step": 4}, {"base_noise": 0.8}, {"steps": 9}, {"scheduler": "karras"}],
)
def test_going_on_from_another_noise_level_is_refused(pack, run, make_collage, other) -> None:
    collage, inputs = make_collage(0.0), {"steps": 6, "base_noise": 0.9}
    first, _ = run(collage, **inputs, end_at_step=2)
    said = r"input start_at_step: latent_image was left at step 2, at noise level [\d.]+, and this"
    with pytest.raises(pack.collage_core.errors.CollageError, match=said):
        run(collage, **{**inputs, "start_at_step": 2, "latent_image": first, **other})


def test_going_on_with_another_composite_is_refused(pack, run, make_collage) -> None:
    collage, inputs = make_collage(0.0), {"steps": 6}
    first, _ = run(collage, **inputs, end_at_step=2)
    moved = collage.with_layers((dataclasses.replace(collage.layers[0], x=0.75),))
    goes_on = {**inputs, "start_at_step": 2, "latent_image": first}
    with pytest.raises(pack.collage_core.errors.CollageError, match="began with another composite"):
        run(moved, **goes_on)
    stronger = collage.with_layers((dataclasses.replace(collage.layers[0], noise=0.3),))
    run(stronger, **goes_on)


def test_pictures_of_a_batch_go_on_one_by_one(run, make_collage, left_half_kept, vae) -> None:
    collage, inputs = make_collage(0.0, batch=2), {"steps": 6}
    first, _ = run(collage, **inputs, end_at_step=2)
    one = {**first, "samples": first["samples"][1:]}
    alone = collage.with_layers(
        (
            dataclasses.replace(
                collage.layers[0],
                image=collage.layers[0].image[1:],
                alpha=collage.layers[0].alpha[1:],
            ),
        )
    )
    second, _ = run(alone, **inputs, start_at_step=2, latent_image=one)
    left_half_kept(second["samples"], vae.encode(collage.composite.image)[1:])
