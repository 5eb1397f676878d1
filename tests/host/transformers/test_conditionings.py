"""Conditionings on their way to a transformer: combined, cut, appended to, mixed, set to zero."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch.testing import assert_close

FEW = ["flux", "flux2", "zimage", "wan"]
ALL = [
    *FEW, "qwen_image", "chroma", "sd3", "lumina2", "cosmos_predict2", "aura_flow", "ltxv",
    "hunyuan_image", "hunyuan_video", "hunyuan_video15", "kandinsky5", "omnigen2", "lens", "krea2",
    "joyimage",
]  # fmt: skip
CLOSE: dict[str, Any] = {"atol": 2e-4, "rtol": 2e-4}


@pytest.fixture
def alone(predict):
    """The prediction of one conditioning: cfg 1, where the negative is never asked for."""

    def run(case, positive=None, *, patched=True, x=None) -> torch.Tensor:
        model = case.patched if patched else case.model
        conds = {"positive": positive or case.positive}
        return predict(model, conds, case.x if x is None else x, case.sigma)["positive"]

    return run


@pytest.mark.parametrize("family", ALL)
def test_beside_a_negative_of_another_length(
    make_case, alone, predict, transformers, family: str
) -> None:
    case = make_case(family)
    conds = {"positive": case.positive, "negative": transformers.text(family, 31, seed=8)}
    found = predict(case.patched, conds, case.x, case.sigma)
    plain = predict(case.model, conds, case.x, case.sigma)
    assert_close(found["positive"], alone(case), **CLOSE)
    assert (found["positive"] - plain["positive"]).abs().max() > 1e-3
    assert torch.equal(found["negative"], plain["negative"])


@pytest.mark.parametrize("family", FEW)
def test_a_combined_prompt_and_another_collage_keep_their_own(
    make_case, make_bias, alone, transformers, pack, family: str
) -> None:
    """The host paints the mean of them."""
    case = make_case(family)
    with_bias = pack.nodes.host.attention.conditioning.with_bias
    stronger = make_bias(case.x.shape[-2:], attract=0.1, repel=3.0)
    other = with_bias(transformers.text(family, 20, seed=12), stronger)
    plain = transformers.text(family, 20, seed=13)
    each = [alone(case, positive) for positive in (case.positive, other, plain)]
    combined = alone(case, [*case.positive, *other, *plain])
    assert_close(combined, torch.stack(each).mean(0), **CLOSE)


@pytest.mark.parametrize("family", FEW)
def test_every_picture_of_a_batch_has_its_own_masks(
    make_case, alone, pack, make_bias, family: str
) -> None:
    case = make_case(family)
    bias = make_bias(case.x.shape[-2:], batch=2)
    with_bias = pack.nodes.host.attention.conditioning.with_bias
    both = alone(case, with_bias(case.positive, bias))
    for number in (0, 1):
        own = dataclasses.replace(bias, masks=bias.masks[number, None])
        found = alone(case, with_bias(case.positive, own), x=case.x[number, None])
        assert_close(both[number, None], found, **CLOSE)
    assert not torch.equal(bias.masks[0], bias.masks[1])


def set_area(positive: list, height: int, width: int, top: int, left: int) -> list:
    import nodes

    box = (8 * width, 8 * height, 8 * left, 8 * top)
    return nodes.ConditioningSetArea().append(positive, *box, 1.0)[0]


def set_area_of_frames(positive: list, *area: int) -> list:
    """As ConditioningSetAreaPercentageVideo leaves it: frames, height, width, then their start."""
    import node_helpers

    height, width, top, left = area
    own = (1, height, width, 0, top, left)
    return node_helpers.conditioning_set_values(positive, {"area": own, "strength": 1.0})


@pytest.mark.parametrize("family", FEW)
@pytest.mark.parametrize("area", [(8, 6, 4, 2), (12, 8, 10, 6)])  # the second is cut off
def test_an_area_is_given_its_part_of_the_masks(
    make_case, alone, pack, family: str, area: tuple[int, ...]
) -> None:
    """The host samples an area as a picture of its own, cut off at the edge of the whole."""
    case = make_case(family)
    height, width, top, left = area
    rows, columns = slice(top, top + height), slice(left, left + width)
    found = alone(case, set_area(case.positive, *area))
    masks = case.bias.cell_masks(tuple(case.x.shape[-2:]))[..., rows, columns]
    pixels = masks.repeat_interleave(8, -2).repeat_interleave(8, -1)
    own = dataclasses.replace(case.bias, masks=pixels)
    positive = pack.nodes.host.attention.conditioning.with_bias(case.positive, own)
    wanted = alone(case, positive, x=case.x[..., rows, columns])
    assert_close(found[..., rows, columns], wanted, **CLOSE)
    if family == "wan":
        same = alone(case, set_area_of_frames(case.positive, *area))
        assert_close(same, found)


@pytest.mark.parametrize("family", FEW)
def test_an_average_is_refused_by_name(make_case, alone, transformers, refused, family) -> None:
    import nodes

    case = make_case(family)
    average, other = nodes.ConditioningAverage().addWeighted, transformers.text(family, seed=9)
    with refused("ConditioningAverage"):
        alone(case, average(case.positive, other, 0.5)[0])
    assert torch.equal(alone(case, average(case.positive, other, 1.0)[0]), alone(case))


@pytest.mark.parametrize("family", FEW)
def test_words_behind_others_are_refused(make_case, alone, transformers, refused, family) -> None:
    import nodes

    case = make_case(family)
    (mixed,) = nodes.ConditioningConcat().concat(transformers.text(family, seed=9), case.positive)
    with refused("stand behind those of another conditioning"):
        alone(case, mixed)


@pytest.mark.parametrize("family", [*FEW, "anima"])
def test_zeros_made_of_our_positive_are_a_negative(make_case, predict, family: str) -> None:
    import nodes

    case = make_case(family)
    (negative,) = nodes.ConditioningZeroOut().zero_out(case.positive)
    conds = {"positive": case.positive, "negative": negative}
    found = predict(case.patched, conds, case.x, case.sigma)
    plain = predict(case.model, conds, case.x, case.sigma)
    assert torch.equal(found["negative"], plain["negative"])
    assert (found["positive"] - plain["positive"]).abs().max() > 1e-3


@pytest.mark.parametrize("family", ["flux", "wan", "zimage"])
@pytest.mark.parametrize("cfg", [1.0, 4.0])
def test_the_hosts_ksampler(
    make_case, host_ksampler, transformers, family: str, cfg: float
) -> None:
    case, plain = make_case(family), transformers.text(family, 20, seed=3)
    given = {"cells": tuple(case.x.shape[-2:]), "cfg": cfg}
    biased = host_ksampler(case.patched, case.positive, case.negative, **given)
    unbiased = host_ksampler(case.model, plain, case.negative, **given)
    same = host_ksampler(case.patched, plain, case.negative, **given)
    assert biased.isfinite().all()
    assert torch.equal(same, unbiased)
    assert (biased - unbiased).abs().max() > 1e-3


def test_padded_text_is_compared_once_a_run(make_case, pack, monkeypatch) -> None:
    """Comparing waits for the device, so no step may do it again."""
    import comfy.sample

    case, calls = make_case("flux2", batch=1), []
    bias = pack.nodes.host.attention.conditioning.ConditioningBias
    place_in = bias.place_in

    def counted(self, *args):
        calls.append(args)
        return place_in(self, *args)

    monkeypatch.setattr(bias, "place_in", counted)

    def in_model_calls(steps: int) -> int:
        calls.clear()
        told = ("euler", "simple", case.positive, case.negative, case.x)
        noise = torch.zeros_like(case.x)
        comfy.sample.sample(case.patched, noise, steps, 2.0, *told, seed=1, disable_pbar=True)
        return len(calls)

    assert in_model_calls(4) == in_model_calls(1)
