"""What cannot be steered: one sentence that names node, input, value and remedy."""

from __future__ import annotations

import math

import pytest
import torch


@pytest.fixture
def refused(pack):
    def check(match: str):
        return pytest.raises(pack.collage_core.errors.CollageError, match=match)

    return check


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("strength", -0.01, "-0.01 is outside 0 to 10"),
        ("strength", 10.5, "10.5 is outside 0 to 10"),
        ("strength", math.nan, "nan is outside 0 to 10"),
        ("strength", math.inf, "inf is outside 0 to 10"),
        ("start_percent", 1.01, "1.01 is outside 0 to 1"),
        ("end_percent", -1, "-1 is outside 0 to 1"),
        ("end_percent", math.nan, "nan is outside 0 to 1"),
        ("schedule", "linear", '"linear" is none of paper, ediff, constant'),
    ],
)
def test_values_that_come_over_a_link(make_collage, patch, refused, name, value, shown) -> None:
    with refused(f"^MaskedCrossAttentionPatch, input {name}: {shown}"):
        patch(make_collage(), **{name: value})


def test_a_clip_of_another_family_is_named(tiny, make_collage, patch, refused) -> None:
    with refused("input clip: it is that of a CLIP with the tokenizer SD1Tokenizer, and the model"):
        patch(make_collage(), model=tiny.tiny_qwen_image())


def test_a_film_model_is_refused(make_model, make_collage, patch, refused) -> None:
    film = make_model()
    film.model.model_config.unet_config["use_temporal_attention"] = True
    with refused("input model: BaseModel is not supported"):
        patch(make_collage(), model=film)


def test_what_is_no_diffusion_model(tiny, make_collage, patch, refused) -> None:
    vae = tiny.tiny_vae()
    for model in (vae, vae.patcher):
        with refused("input model: .* is no diffusion model"):
            patch(make_collage(), model=model)


def test_clip_of_another_width_than_the_model(make_model, make_collage, patch, refused) -> None:
    with refused("input clip: it gives 64 numbers per token, and the model takes 96"):
        patch(make_collage(), model=make_model(context_dim=96))


def test_latent_of_other_proportions(make_collage, patch, sample, refused) -> None:
    patched, positive, _ = patch(make_collage(size=(64, 96)))
    for cells in ((8, 12), (16, 24), (12, 19)):
        assert sample(patched, positive, cells=cells, steps=1).isfinite().all()
    with refused("canvas of 96 x 64 pixels .* latent of 8 x 12 cells"):
        sample(patched, positive, cells=(12, 8), steps=1)


def tiles(apply_model, args):
    """The left half alone, as tiled sampling asks for it."""
    x = args["input"]
    half = apply_model(x[..., :5], args["timestep"], **args["c"])
    return torch.cat([half, half], -1)


def stacked_tiles(apply_model, args):
    """Both halves of the height in one batch, each as wide as the picture."""
    x, c = args["input"], {**args["c"]}
    c["c_crossattn"] = c["c_crossattn"].repeat(2, 1, 1)
    both = apply_model(x.repeat(2, 1, 1, 1), args["timestep"].repeat(2), **c)
    return both[: len(x)]


def one_by_one(apply_model, args):
    """Every row in a call of its own that still claims to be the whole batch."""
    rows = range(len(args["input"]))
    contexts, times = args["c"]["c_crossattn"], args["timestep"]
    options = args["c"]["transformer_options"]
    return torch.cat([
        apply_model(
            args["input"][i : i + 1], times[i : i + 1], c_crossattn=contexts[i : i + 1],
            transformer_options=options,
        )
        for i in rows
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("wrapper", "match"),
    [
        (tiles, "a tile of 5 x 12 latent cells out of 10 x 12"),
        (stacked_tiles, "4 pictures at once instead of 2"),
        (one_by_one, "1 pictures at once instead of 2"),
    ],
)
def test_a_picture_in_parts(make_collage, patch, sample, encode, refused, wrapper, match) -> None:
    patched, positive, _ = patch(make_collage())
    patched.set_model_unet_function_wrapper(wrapper)
    with refused(f"^MaskedCrossAttentionPatch, output model: it is asked for {match}"):
        sample(patched, positive, steps=1)
    assert sample(patched, encode(), steps=1).isfinite().all()


def test_per_layer_noise_ksampler_wants_both_outputs(
    pack, tiny, make_collage, patch, model, encode, refused
) -> None:
    collage = make_collage()
    patched, positive, _ = patch(collage)
    inputs = {
        "collage": collage, "vae": tiny.tiny_vae(), "negative": encode("bad"), "seed": 5,
        "steps": 3, "cfg": 4.0, "sampler_name": "euler", "scheduler": "normal", "base_noise": 0.8,
        "feather": 0.0,
    }  # fmt: skip
    node = pack.nodes.sampling.PerLayerNoiseKSampler
    with refused("^PerLayerNoiseKSampler, input model: .* MaskedCrossAttentionPatch"):
        node.execute(model=model, positive=[*encode(), *positive], **inputs)
    with refused("^PerLayerNoiseKSampler, input positive: the model comes from .*Patch"):
        node.execute(model=patched, positive=encode(), **inputs)
    (steered, *_) = node.execute(model=patched, positive=positive, **inputs).args
    (plain, *_) = node.execute(model=model, positive=encode(), **inputs).args
    assert not torch.equal(steered["samples"], plain["samples"])
