"""What kept cells are put under: one noise for the whole run, or a fresh one at every step."""

from __future__ import annotations

import pytest
import torch

SAMPLERS = ("euler", "heun", "dpm_2_ancestral", "dpmpp_2m_sde", "uni_pc", "ddim")


@pytest.fixture
def shown(run, model, vae, make_collage):
    """What reached the model while the left half was kept: per level the noise on its cells."""

    def sample(**inputs) -> list[tuple[float, torch.Tensor]]:
        seen = []
        collage = make_collage(0.0, size=(128, 128))
        original = model.model.process_latent_in(vae.encode(collage.composite.image))

        def spy(apply_model, args):
            sigma = args["timestep"][0].item()
            noise = (args["input"][: len(original)] - original) / sigma
            seen.append((sigma, noise[..., :8]))
            return args["input"] * 0.1

        patched = model.clone()
        patched.set_model_unet_function_wrapper(spy)
        run(collage, model=patched, **inputs)
        return seen

    return sample


def test_paper_is_the_original_under_fresh_noise_at_every_step(shown) -> None:
    one, *others = shown(renoise="host", sampler_name="euler", steps=6)
    for _, noise in others:
        torch.testing.assert_close(noise, one[1], atol=1e-4, rtol=0)
    fresh = shown(renoise="paper", sampler_name="euler", steps=6)
    for number, (_, noise) in enumerate(fresh):
        assert noise.std().item() == pytest.approx(1, abs=0.12)
        for _, earlier in [one, *fresh[:number]]:
            together = torch.stack([noise.flatten(), earlier.flatten()]).corrcoef()[0, 1]
            assert abs(together.item()) < 0.25


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_level_has_one_noise_however_often_it_is_asked_for(shown, name) -> None:
    known: dict[float, torch.Tensor] = {}
    for _ in range(2):
        for sigma, noise in shown(renoise="paper", sampler_name=name, steps=4):
            if sigma > 0.1:  # below, rounding is all that is left of the division
                first = known.setdefault(sigma, noise)
                torch.testing.assert_close(noise, first, atol=1e-4, rtol=0)
    assert len(known) > 2


@pytest.mark.parametrize("name", SAMPLERS)
def test_paper_keeps_noise_zero_and_paints_the_rest_anew(
    run, vae, make_collage, left_half_kept, name
) -> None:
    collage = make_collage(0.0)
    host, _ = run(collage, sampler_name=name)
    paper, _ = run(collage, sampler_name=name, renoise="paper")
    again, _ = run(collage, sampler_name=name, renoise="paper")
    left_half_kept(paper["samples"], vae.encode(collage.composite.image))
    assert torch.equal(paper["samples"], again["samples"])
    assert not torch.equal(paper["samples"], host["samples"])


def test_another_seed_is_another_noise(shown) -> None:
    (_, one), *_ = shown(renoise="paper", seed=5, steps=1)
    (_, other), *_ = shown(renoise="paper", seed=6, steps=1)
    assert (one != other).all()


def test_where_nothing_is_kept_both_are_the_same(run, make_collage) -> None:
    flat = {"base_noise": 0.7, "renoise": "paper"}
    paper, _ = run(make_collage(0.7), **flat)
    host, _ = run(make_collage(0.7), **{**flat, "renoise": "host"})
    assert torch.equal(paper["samples"], host["samples"])


def test_a_layers_seed_rules_its_fresh_noise(shown) -> None:
    plain = shown(renoise="paper", sampler_name="euler")
    other = shown(renoise="paper", sampler_name="euler", seed=77)
    mixed = shown(renoise="paper", sampler_name="euler", layer_seeds="1: 77")
    for (_, a), (_, b), (_, c) in zip(plain, other, mixed, strict=True):
        assert torch.equal(c, b)
        assert not torch.equal(c, a)


def test_a_picture_of_a_batch_has_the_fresh_noise_of_its_index(run, vae, make_collage) -> None:
    collage = make_collage(0.0)
    original = vae.encode(collage.composite.image)
    three = {"samples": original.repeat(3, 1, 1, 1)}
    third = {"samples": original, "batch_index": [2]}
    inputs = {"renoise": "paper", "sampler_name": "euler"}
    all_three, _ = run(collage, latent_image=three, **inputs)
    alone, _ = run(collage, latent_image=third, **inputs)
    apart = (all_three["samples"] - alone["samples"]).abs().amax((1, 2, 3)).tolist()
    assert apart[2] < 1e-3 < min(apart[:2])


def test_other_kinds_of_models_keep_as_well(tiny, run, vae, make_collage, left_half_kept) -> None:
    import comfy.model_base

    for kind in ("V_PREDICTION", "FLOW", "EDM"):
        other = tiny.tiny_model(model_type=comfy.model_base.ModelType[kind])
        collage = make_collage(0.0)
        latent, _ = run(collage, model=other, scheduler="simple", renoise="paper")
        left_half_kept(latent["samples"], vae.encode(collage.composite.image))


def test_no_other_random_numbers_are_touched(run, make_collage) -> None:
    """What a node after this one draws from the common generator."""
    following = []
    for renoise in ("host", "paper"):
        run(make_collage(0.0), renoise=renoise, sampler_name="euler")
        following.append(torch.randn(4))
    assert torch.equal(*following)


def test_another_word_for_renoise_is_refused(pack, run, make_collage) -> None:
    with pytest.raises(
        pack.collage_core.errors.CollageError, match=r'"none" is none of host, paper\. Choose'
    ):
        run(make_collage(0.4), renoise="none")
