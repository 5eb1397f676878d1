"""Other patches of a transformer keep their say, or are refused where no layer would keep its."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ..foreign_attention import doubled, refuses_masks, without_masks

OVERRIDE = "optimized_attention_override"
JOINT_AND_CROSS = pytest.mark.parametrize("family", ["flux", "wan"])


def set_override(model, override):
    clone = model.clone()
    clone.model_options["transformer_options"][OVERRIDE] = override
    return clone


def inside(patched, change):
    """A clone with a wrapper inside ours, which changes the options of every model call."""
    from comfy.patcher_extension import WrappersMP

    def wrap(executor, x, t, c_concat, c_crossattn, control, options, **kwargs):
        return executor(x, t, c_concat, c_crossattn, control, change(options), **kwargs)

    clone = patched.clone()
    clone.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "inside", wrap)
    return clone


def compared(patched, pack, by_previous: float, biased: float):
    """A clone that checks every biased call: our attention without the other pack's, times these.

    by_previous: for rows without a bias; biased: for the picture's cells of the positive.
    """
    calls = []

    def check(options):
        joint = options.get(OVERRIDE)
        if not isinstance(joint, pack.nodes.host.attention.joint.JointAttention):
            return options

        def both(func, *args, **kwargs):
            alone = dataclasses.replace(joint, previous=None, use_override=False, acted=False)
            found, plain = joint(func, *args, **kwargs), alone(func, *args, **kwargs)
            if not alone.acted:
                return found
            wanted = plain * by_previous
            first = joint.layout.first_cell
            for number, bias in enumerate(joint.biases):
                cells = (slice(number, number + 1), slice(first, first + joint.layout.cells))
                wanted[cells] = plain[cells] * (biased if bias else by_previous)
            calls.append(found)
            assert_close(found, wanted, atol=1e-4, rtol=1e-4)
            return found

        return {**options, OVERRIDE: both}

    return inside(patched, check), calls


@JOINT_AND_CROSS
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("override", [doubled, without_masks, refuses_masks])
def test_the_attention_of_another_pack_is_chained(
    make_case, predict, pack, caplog, family: str, when: str, override
) -> None:
    """Biased cells run in it where it takes masks, all else runs in it always."""
    case = make_case(family, batch=1)
    if when == "before":
        patched = pack.nodes.host.attention.patch.patch_model(set_override(case.model, override))
    else:
        patched = set_override(case.patched, override)
    obeys = override is doubled
    following, calls = compared(patched, pack, 2.0, 2.0 if obeys else 1.0)
    conds = {"positive": case.positive, "negative": case.negative}
    found = predict(following, conds, case.x, case.sigma)
    assert len(calls) == (4 if family == "flux" else 2)
    plain = predict(set_override(case.model, override), conds, case.x, case.sigma)
    assert torch.equal(found["negative"], plain["negative"])
    assert (found["positive"] - plain["positive"]).abs().max() > 1e-3
    told = [line for line in caplog.messages if "takes no mask" in line]
    assert bool(told) is not obeys
    assert all(override.__name__ in line for line in told)


def test_blocks_that_another_pack_has_wrapped(make_case, predict, transformers) -> None:
    """As caches and regional prompts do by patches_replace["dit"]."""
    case, seen = make_case("flux", batch=1), []

    def louder(args, extra):
        seen.append(args["transformer_options"]["block_index"])
        out = extra["original_block"](args)
        return {**out, "img": out["img"] * 1.1}

    def wrapped(model):
        clone = model.clone()
        for number in (0, 1):
            clone.set_model_patch_replace(louder, "dit", "double_block", number)
        return clone

    def asked(model, positive) -> torch.Tensor:
        return predict(model, {"positive": positive}, case.x, case.sigma)["positive"]

    plain = transformers.text("flux", 20, seed=3)
    found, without = asked(wrapped(case.patched), case.positive), asked(case.patched, case.positive)
    assert seen == [0, 1]
    assert torch.equal(asked(wrapped(case.patched), plain), asked(wrapped(case.model), plain))
    assert (found - without).abs().max() > 1e-3
    assert (found - asked(wrapped(case.model), plain)).abs().max() > 1e-3


def test_a_mask_of_another_pack_joins_ours(make_case, predict) -> None:
    """Whether it says what is seen, or what is added to the scores."""
    case = make_case("flux")
    seen = torch.ones(83, 83, dtype=torch.bool)
    seen[20:, 15:19] = False  # no cell sees these words
    added = torch.zeros(83, 83).masked_fill(~seen, -torch.inf)

    def asked(model, mask) -> torch.Tensor:
        clone = model.clone()
        clone.set_model_attn1_patch(lambda *_, **__: {"attn_mask": mask})
        return predict(clone, {"positive": case.positive}, case.x, case.sigma)["positive"]

    assert_close(asked(case.patched, seen), asked(case.patched, added), atol=1e-5, rtol=1e-5)
    moved = [asked(model, seen) - asked(model, None) for model in (case.model, case.patched)]
    assert all(change.abs().max() > 1e-2 for change in moved)


@JOINT_AND_CROSS
def test_an_override_that_replaces_ours_is_refused(make_case, predict, refused, family) -> None:
    """Every word would act everywhere, and nobody would know."""
    case = make_case(family)

    def own(func, *args, **kwargs):
        return func(*args, **kwargs)

    taken = inside(case.patched, lambda options: {**options, OVERRIDE: own})
    conds = {"positive": case.positive, "negative": case.negative}
    with refused("no attention of .* queries and .* keys was called, so another patch"):
        predict(taken, conds, case.x, case.sigma)
    assert predict(taken, {"positive": case.negative}, case.x, case.sigma)


def test_tokens_that_another_pack_adds_are_refused(make_case, predict, refused) -> None:
    case = make_case("flux")

    def longer(args):
        more, ids = args["txt"][:, :4], args["txt_ids"][:, :4]
        text, places = torch.cat([args["txt"], more], 1), torch.cat([args["txt_ids"], ids], 1)
        return {**args, "txt": text, "txt_ids": places}

    patched = case.patched.clone()
    patched.set_model_post_input_patch(longer)
    with refused("no attention of 83 queries and 83 keys was called"):
        predict(patched, {"positive": case.positive}, case.x, case.sigma)


def cached(model, end: float):
    """A clone in which EasyCache answers every step from the third one to `end`."""
    from comfy_extras.nodes_easycache import EasyCacheNode

    return EasyCacheNode.execute(model, 1e9, 0.0, end, verbose=False).args[0]


@JOINT_AND_CROSS
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.5, 0.8)])
def test_steps_that_a_cache_answers(make_case, host_ksampler, family, start, end) -> None:
    """ComfyUI's EasyCache does not ask the network at all then, also in the first biased step."""
    case = make_case(family, batch=1, start=start)
    given = {"cells": tuple(case.x.shape[-2:]), "steps": 8, "cfg": 1.0}
    found = host_ksampler(cached(case.patched, end), case.positive, case.negative, **given)
    whole = host_ksampler(case.patched, case.positive, case.negative, **given)
    without = host_ksampler(cached(case.model, end), case.positive, case.negative, **given)
    assert found.isfinite().all()
    assert not torch.equal(found, whole)
    assert not torch.equal(found, without)


def test_a_run_in_which_nothing_was_biased(make_case, host_ksampler, refused) -> None:
    """Where a cache answers every biased step, or another override takes all attention."""
    case = make_case("flux", batch=1, start=0.5)

    def own(func, *args, **kwargs):
        return func(*args, **kwargs)

    taken = inside(case.patched, lambda options: {**options, OVERRIDE: own})
    given = {"cells": tuple(case.x.shape[-2:]), "steps": 8, "cfg": 1.0}
    for one in (cached(case.patched, 1.0), taken):
        with refused("no attention of .* was called, .* or answers in its place"):
            host_ksampler(one, case.positive, case.negative, **given)
