"""Words that layers must not show, on transformers: in the negative's rows, in their places."""

from __future__ import annotations

import dataclasses

import pytest
import torch

JOINT = {"flux": "flux", "zimage": "zimage", "sd3": "sd3", "anima": "anima"}
SHAPES = {"sd3": {"adm_in_channels": 64}}


def looped(case, pack, loop, number: int):
    """The unpatched model with the loop as the attention of another pack, for one prompt."""
    from comfy.patcher_extension import WrappersMP

    core, layouts = pack.collage_core.attention.bias, pack.nodes.host.models.transformers
    factor = core.schedule_factor("paper", case.sigma / (1 - case.sigma))
    masks = dataclasses.replace(case.bias, confined=False, attract=(1.0, 1.0), repel=(0.0, 0.0))
    model = case.model.clone()

    def wrap(executor, x, t, c_concat=None, c_crossattn=None, control=None,
             transformer_options=None, **extras):  # fmt: skip
        assert c_crossattn is not None
        assert transformer_options is not None
        layout = layouts.layout_of(
            executor.class_obj.diffusion_model, x, c_crossattn.shape[1], extras
        )
        inside = masks.region_weights(layout.grid, tuple(x.shape[-2:]))[0].T
        tokens = [
            [layout.first_token + token for token in region.tokens] for region in case.bias.regions
        ]
        asked = transformer_options["cond_or_uncond"]
        chunks = [chunk == number for chunk in asked for _ in range(len(x) // len(asked))]
        override = loop.Float64Loop(
            (layout.queries, layout.keys), layout.first_cell, layout.cells,
            case.bias.attract[0] * inside, tokens, chunks, factor, twin=bool(layout.twins),
            masks=inside,
        )  # fmt: skip
        options = {**transformer_options, "optimized_attention_override": override}
        return executor(x, t, c_concat, c_crossattn, control, options, **extras)

    model.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "loop", wrap)
    return model


@pytest.mark.parametrize("family", ["flux", "zimage", "wan", "sd3"])
@pytest.mark.parametrize("order", ["positive first", "negative first"])
def test_the_negative_row_is_that_of_the_loop(
    make_case, predict, pack, loop, agree, family, order
) -> None:
    case = make_case(family, confined=True)
    conds = {"positive": case.negative, "negative": case.positive}  # the case's bias is confined
    if order == "negative first":
        conds = dict(reversed(conds.items()))
    plain = predict(case.model, conds, case.x, case.sigma)
    found = predict(case.patched, conds, case.x, case.sigma)
    model = looped(case, pack, loop, list(conds).index("negative"))
    wanted = predict(model, conds, case.x, case.sigma)
    assert torch.equal(found["positive"], plain["positive"])
    agree(*(one["negative"] for one in (found, wanted, plain)))


@pytest.mark.parametrize("family", JOINT)
def test_a_layer_s_words_are_tokens_of_a_prompt_that_is_plain_around_them(
    transformers, clips, make_collage, patch_both, host_ksampler, family
) -> None:
    model = transformers.tiny_transformer(family, **SHAPES.get(family, {}))
    clip, collage = clips(JOINT[family]), make_collage("a red fox and a blue bear")
    layers = (collage.layers[0], dataclasses.replace(collage.layers[1], negative="wet dog"))
    inputs = {"model": model, "clip": clip, "collage": collage.with_layers(layers)}
    patched, positive, report, negative = patch_both(**inputs, negative="bad")
    assert 'must not show "wet dog": tokens ' in report
    encode = lambda text: clip.encode_from_tokens_scheduled(clip.tokenize(text))  # noqa: E731
    ((own, options),), ((plain, more),) = negative, encode("bad")
    ((whole, _),) = encode("bad, wet dog")
    assert own.shape == whole.shape
    bias = options["collage_words"].bias
    assert (bias.confined, [region.layers for region in bias.regions]) == (True, [(1,)])
    tokens = list(bias.regions[0].tokens)
    if family == "anima":  # its network makes features of T5's tokens, which are elsewhere
        assert torch.equal(own, whole)
    else:
        assert torch.equal(own[:, tokens], whole[:, tokens])
        rest = [place for place in range(own.shape[1]) if place not in tokens]
        assert all((plain[0] == own[0, place]).all(-1).any() for place in rest)
        assert torch.equal(own[:, : tokens[0]], plain[:, : tokens[0]])
    if more.get("pooled_output") is not None:
        assert torch.equal(options["pooled_output"], more["pooled_output"])
    latent = {"samples": 0 * transformers.latents(family, 16, 12)}

    def sampled(negative):
        return host_ksampler(patched, positive, negative, latent=latent, scheduler="simple")

    assert not torch.equal(sampled(negative), sampled(encode("bad")))


@pytest.mark.parametrize("family", ["flux", "zimage"])
def test_without_words_of_layers_it_is_the_plain_prompt(
    transformers, clips, make_collage, patch_both, family
) -> None:
    model, clip = transformers.tiny_transformer(family), clips(JOINT[family])
    collage = make_collage("a red fox and a blue bear")
    for text in ("", "bad"):
        *_, negative = patch_both(model=model, clip=clip, collage=collage, negative=text)
        ((own, options),) = negative
        ((plain, more),) = clip.encode_from_tokens_scheduled(clip.tokenize(text))
        assert torch.equal(own, plain)
        assert options.keys() == more.keys()


def test_half_of_the_places_of_a_joint_model_read_none_of_the_words(
    make_case, predict, transformers, pack
) -> None:
    """One block: what the words are changes nothing where their layers are not."""
    shapes = {"depth": 1, "depth_single_blocks": 0}
    case = make_case("flux", confined=True, attract=0.0, shapes=shapes)
    ((features, options),) = case.positive
    changed = features.clone()
    changed[:, list(case.bias.regions[0].tokens)] += 1.0
    other = pack.nodes.host.attention.conditioning.with_bias([[changed, options]], case.bias)
    conds = {"positive": case.negative, "negative": case.positive}
    one = predict(case.patched, conds, case.x, case.sigma)["negative"]
    two = predict(case.patched, {**conds, "negative": other}, case.x, case.sigma)["negative"]
    moved = (one - two).abs().amax((0, 1))
    assert moved[:, 8:].max() < 1e-6
    assert moved[:, :4].min() > 1e-5
