"""Every family against loops in float64, as a whole model."""

from __future__ import annotations

import pytest
import torch

FAMILIES = [
    "flux", "flux2", "chroma", "sd3", "qwen_image", "zimage", "lumina2", "wan", "cosmos_predict2",
    "anima", "aura_flow", "ltxv", "hunyuan_image", "hunyuan_video", "hunyuan_video15",
    "kandinsky5", "omnigen2", "lens", "joyimage", "krea2",
]  # fmt: skip
# first cell, first token, queries, keys of 20 tokens and the odd latent, from the families' papers
LEFT_PADDED = {"flux2": 512}


def grid_of(case, pack) -> tuple[int, int]:
    layouts = pack.nodes.host.models.transformers
    tokens = LEFT_PADDED.get(case.family, 512 if case.family == "anima" else 20)
    return layouts.layout_of(case.model.model.diffusion_model, case.x, tokens, {}).grid


def looped(case, pack, loop, biased: dict[int, bool]):
    """The unpatched model with the loop as the attention of another pack."""
    from comfy.patcher_extension import WrappersMP

    layouts = pack.nodes.host.models.transformers
    sigma = case.sigma if case.family == "cosmos_predict2" else case.sigma / (1 - case.sigma)
    factor = pack.collage_core.attention.bias.schedule_factor("paper", sigma)
    model = case.model.clone()

    def wrap(executor, x, t, c_concat=None, c_crossattn=None, control=None,
             transformer_options=None, **extras):  # fmt: skip
        assert c_crossattn is not None
        assert transformer_options is not None
        layout = layouts.layout_of(
            executor.class_obj.diffusion_model, x, c_crossattn.shape[1], extras
        )
        weights = case.bias.region_weights(layout.grid, tuple(x.shape[-2:]))[0].T
        own = c_crossattn.shape[1] - 20 if case.family in LEFT_PADDED else 0
        first = layout.first_token + own
        tokens = [[first + token for token in region.tokens] for region in case.bias.regions]
        rows = len(x) // len(transformer_options["cond_or_uncond"])
        chunks = [biased[c] for c in transformer_options["cond_or_uncond"] for _ in range(rows)]
        override = loop.Float64Loop(
            (layout.queries, layout.keys), layout.first_cell, layout.cells, weights, tokens,
            chunks, factor, twin=bool(layout.twins),
        )  # fmt: skip
        options = {**transformer_options, "optimized_attention_override": override}
        return executor(x, t, c_concat, c_crossattn, control, options, **extras)

    model.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "loop", wrap)
    return model


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("order", ["positive first", "negative first"])
def test_the_model_is_that_of_the_loop(
    make_case, predict, pack, loop, agree, family: str, order: str
) -> None:
    case = make_case(family)
    conds = {"positive": case.positive, "negative": case.negative}
    if order == "negative first":
        conds = dict(reversed(conds.items()))
    number = list(conds).index("positive")
    plain = predict(case.model, conds, case.x, case.sigma)
    found = predict(case.patched, conds, case.x, case.sigma)
    wanted = predict(
        looped(case, pack, loop, {number: True, 1 - number: False}), conds, case.x, case.sigma
    )
    assert torch.equal(found["negative"], plain["negative"])
    agree(*(one["positive"] for one in (found, wanted, plain)))


@pytest.mark.parametrize("family", FAMILIES)
def test_without_strength_it_is_the_unpatched_model_to_the_bit(make_case, predict, family) -> None:
    case = make_case(family, attract=0.0, repel=0.0)
    conds = {"positive": case.positive, "negative": case.negative}
    found = predict(case.patched, conds, case.x, case.sigma)
    plain = predict(case.model, conds, case.x, case.sigma)
    assert all(torch.equal(found[name], plain[name]) for name in conds)
