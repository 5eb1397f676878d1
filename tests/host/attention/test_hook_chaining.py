"""Other patches of the same blocks keep their say."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch.testing import assert_close

from ..foreign_attention import doubled, refuses_masks, without_masks

BLOCKS = (("input", 1), ("input", 3), ("middle", 0), *(("output", n) for n in range(4)))


def adds_a_tenth(q, k, v, extra_options):
    """As IP-Adapter: plain attention, and something of its own on top."""
    from comfy.ldm.modules import attention

    return attention.optimized_attention(q, k, v, extra_options["n_heads"]) + 0.1 * q


def occupy(model, index: int | None):
    """A clone with every block of BLOCKS taken, keyed (name, number[, index])."""
    clone = model.clone()
    for name, number in BLOCKS:
        clone.set_model_attn2_replace(adds_a_tenth, name, number, index)
    return clone


def assert_papers_plus(paper, spy, collage, extra: float, negative: float = 1.0) -> None:
    """Biased rows are the paper's plus `extra` q; others plain attention times `negative` too."""
    assert spy.calls
    for call in spy.calls:
        assert len(call["blocks"]) == len(BLOCKS)
        for block in call["blocks"]:
            masks, _ = paper.masks_of(block, collage)
            for row, number in enumerate(call["rows"]):
                f = 0.0 if number else paper.factor(call["sigma"])
                wanted = paper.attention(block, row, masks, collage, f)
                wanted = wanted * (negative if number else 1.0) + extra * block["q"][row]
                assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("index", [0, None])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_occupant_of_the_blocks_is_chained(
    paper, make_collage, patch, sample, spy, model, index, when
) -> None:
    collage = make_collage()
    if when == "before":
        patched, positive, _ = patch(collage, model=occupy(model, index))
    else:
        patched, positive, _ = patch(collage)
        patched = occupy(patched, index)
    sample(spy.follow(patched), positive, steps=1)
    assert_papers_plus(paper, spy, collage, 0.1)


def test_patches_of_input_and_output_run(paper, make_collage, patch, sample, spy, model) -> None:
    seen = Counter()

    def louder(n, context, value, extra_options):
        seen["input"] += 1
        return n * 1.5, context * 1.2, value

    def output(n, extra_options):
        seen["output"] += 1
        return n + 1.0

    collage = make_collage()
    patched, positive, _ = patch(collage)
    before = sample(patched, positive, steps=1)
    patched.set_model_attn2_patch(louder)
    patched.set_model_attn2_output_patch(output)
    after = sample(spy.follow(patched), positive, steps=1)
    assert_papers_plus(paper, spy, collage, 0.0)
    assert seen["input"] == seen["output"] == len(spy.calls[0]["blocks"])
    assert (after - before).abs().max() > 1e-2


def append(n, context, value, extra_options):
    return n, torch.cat([context, context[:, 5:9]], 1), torch.cat([value, value[:, 5:9]], 1)


@pytest.mark.parametrize(("by", "keys"), [("a patch", 81), ("ConditioningConcat", 154)])
def test_appended_tokens_are_left_alone(
    paper, make_collage, patch, sample, spy, encode, by, keys
) -> None:
    import nodes

    collage = make_collage()
    patched, positive, _ = patch(collage)
    if by == "a patch":
        patched.set_model_attn2_patch(append)
    else:
        (positive,) = nodes.ConditioningConcat().concat(positive, encode("rain"))
    sample(spy.follow(patched), positive, steps=1)
    (call,) = spy.calls
    for block in call["blocks"]:
        masks, _ = paper.masks_of(block, collage)
        f = paper.factor(call["sigma"])
        wanted = paper.attention(block, 1, masks, collage, f, starts=[0])
        assert block["k"].shape[1] == keys
        assert_close(block["out"][1], wanted, atol=1e-4, rtol=1e-4)


def with_override(patched, override):
    patched.model_options["transformer_options"]["optimized_attention_override"] = override
    return patched


def test_all_rows_go_through_an_override_that_takes_masks(
    paper, make_collage, patch, sample, spy, caplog
) -> None:
    collage = make_collage()
    patched, positive, _ = patch(collage)
    sample(spy.follow(with_override(patched, doubled)), positive, steps=1)
    for call in spy.calls:
        for block in call["blocks"]:
            masks, _ = paper.masks_of(block, collage)
            for row, number in enumerate(call["rows"]):
                f = 0.0 if number else paper.factor(call["sigma"])
                wanted = 2 * paper.attention(block, row, masks, collage, f)
                assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)
    assert "takes no mask" not in caplog.text


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (without_masks, "it ignores the mask"),
        (refuses_masks, "NotImplementedError: no masks here"),
    ],
)
def test_only_rows_without_a_bias_go_through_one_that_takes_none(
    paper, make_collage, patch, sample, spy, caplog, override, problem
) -> None:
    collage = make_collage()
    patched, positive, _ = patch(collage)
    sample(spy.follow(with_override(patched, override)), positive, steps=2)
    assert_papers_plus(paper, spy, collage, 0.0, negative=2.0)
    (told,) = [line for line in caplog.messages if "takes no mask" in line]
    assert override.__name__ in told
    assert problem in told


def test_a_pack_that_asks_past_the_host_is_refused_by_name(
    pack, make_collage, patch, sample, encode
) -> None:
    """It would paint without any bias, and nobody would know."""
    import comfy.samplers

    def asks_itself(args):
        options = args["model_options"]
        given = (args["conds"], args["input"], args["sigma"], options)
        return comfy.samplers._calc_cond_batch(args["model"], *given)

    patched, positive, _ = patch(make_collage())
    patched.set_model_sampler_calc_cond_batch_function(asks_itself)
    with pytest.raises(
        pack.collage_core.errors.CollageError,
        match=r"^MaskedCrossAttentionPatch, output model: .*asks_itself asks it for predictions",
    ):
        sample(patched, positive, steps=1)
    assert sample(patched, encode(), steps=1).isfinite().all()


def prepended(n, context, value, extra_options):
    return n, torch.cat([context[:, 5:9], context], 1), torch.cat([value[:, 5:9], value], 1)


def cut(n, context, value, extra_options):
    return n, context[:, :70], value[:, :70]


def first_row(n, context, value, extra_options):
    return n[:1], context[:1], value[:1]


@pytest.mark.parametrize(
    ("patch_of_tokens", "told"),
    [
        (prepended, "81 tokens arrive at a block instead of 77, and do not begin with these"),
        (cut, "70 tokens arrive at a block instead of 77"),
        (first_row, "1 rows arrive at a block instead of 2"),
    ],
)
def test_tokens_and_rows_that_are_not_where_they_were(
    pack, make_collage, patch, sample, encode, patch_of_tokens, told
) -> None:
    patched, positive, _ = patch(make_collage())
    patched.set_model_attn2_patch(patch_of_tokens)
    with pytest.raises(pack.collage_core.errors.CollageError, match=told):
        sample(patched, positive, steps=1)
    if patch_of_tokens is not first_row:
        assert sample(patched, encode(), steps=1).isfinite().all()


def test_tokens_added_between_the_patch_and_the_blocks(pack, make_collage, patch, sample) -> None:
    """Around the UNet, where no attn2_patch tells where they are."""
    from comfy.patcher_extension import WrappersMP

    def longer(executor, x, t, context, *args, **kwargs):
        return executor(x, t, torch.cat([context, context[:, :4]], 1), *args, **kwargs)

    patched, positive, _ = patch(make_collage())
    patched.add_wrapper(WrappersMP.DIFFUSION_MODEL, longer)
    with pytest.raises(
        pack.collage_core.errors.CollageError, match=r"81 tokens .* instead of 77, so"
    ):
        sample(patched, positive, steps=1)


def test_queries_that_are_no_longer_cells_are_refused(pack, make_collage, patch, sample) -> None:

    def merge(n, context, value, extra_options):
        return n[:, ::2], context, value

    patched, positive, _ = patch(make_collage())
    patched.set_model_attn2_patch(merge)
    with pytest.raises(pack.collage_core.errors.CollageError, match="has 60 queries"):
        sample(patched, positive, steps=1)
