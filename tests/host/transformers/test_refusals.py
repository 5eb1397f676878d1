"""What no layout describes: one sentence that says what to change, never a wrong picture."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def biased(predict):
    """Ask for the positive of a case, whose latent or model may be others."""

    def run(case, *, model=None, x=None, positive=None):
        conds = {"positive": positive or case.positive}
        return predict(model or case.patched, conds, case.x if x is None else x, case.sigma)

    return run


@pytest.mark.parametrize("family", ["wan", "qwen_image", "cosmos_predict2", "ltxv"])
def test_several_frames(make_case, biased, refused, family: str) -> None:
    case = make_case(family)
    film = torch.cat([case.x, case.x, case.x], 2)
    with refused("output model: it is asked for 3 frames at once, and a collage is one picture"):
        biased(case, x=film)
    assert biased(case, x=film, positive=case.negative)["positive"].isfinite().all()


def test_several_latents_in_one(make_case, refused) -> None:
    import comfy.samplers
    from comfy.nested_tensor import NestedTensor

    case = make_case("wan")
    guider = comfy.samplers.CFGGuider(case.patched)
    guider.inner_set_conds({"positive": case.positive})
    both = NestedTensor([case.x, case.x])
    with refused("output positive: the sampler got 2 latents in one"):
        guider.sample(both, both, comfy.samplers.sampler_object("euler"), torch.tensor([0.7, 0.0]))


def test_references_among_the_words_of_nextdit(
    make_case, biased, refused, transformers, pack
) -> None:
    case = make_case("zimage")
    ((features, options),) = case.positive
    references = [transformers.latents("zimage", 8, 8)]
    with refused("reference latents among the words.*Take ReferenceLatent out"):
        biased(case, positive=[[features, {**options, "reference_latents": references}]])


def left_half(apply_model, args):
    """As tiled sampling asks for it."""
    x = args["input"]
    half = apply_model(x[..., :6], args["timestep"], **args["c"])
    return torch.cat([half, half], -1)[..., : x.shape[-1]]


def row_by_row(apply_model, args):
    """In calls of their own that still claim to be the whole batch."""
    x, c = args["input"], args["c"]
    rows = range(len(x))
    own = {"transformer_options": c["transformer_options"]}
    parts = [
        apply_model(
            x[i : i + 1],
            args["timestep"][i : i + 1],
            c_crossattn=c["c_crossattn"][i : i + 1],
            **own,
        )
        for i in rows
    ]
    return torch.cat(parts)


@pytest.mark.parametrize("family", ["zimage", "wan", "qwen_image"])
@pytest.mark.parametrize(
    ("wrapper", "told"),
    [
        (left_half, "a tile of 6 x 17 latent cells out of 13 x 17"),
        (row_by_row, "1 pictures at once instead of 2"),
    ],
)
def test_a_picture_in_parts(make_case, biased, refused, family, wrapper, told) -> None:
    case = make_case(family)
    model = case.patched.clone()
    model.set_model_unet_function_wrapper(wrapper)
    with refused(f"^MaskedCrossAttentionPatch, output model: it is asked for {told}"):
        biased(case, model=model)
