"""What must not be shown: words of the whole picture, and of layers in their places only."""

from __future__ import annotations

import dataclasses
import logging
import math
import re

import pytest
import torch
from torch.testing import assert_close

WORDS = ("wild cat", "wet dog")  # of the fox on the left and of the bear on the right
PROMPT = "bad, wild cat, wet dog"
TOKENS = ((2, 3, 4), (5, 6, 7))  # each with the comma before it
LONG = ", on a table of old oak" * 15  # beyond 77 tokens


@pytest.fixture
def make_both(make_collage):
    """The collage whose layers must not show these words."""

    def make(words=WORDS, **inputs):
        collage = make_collage(**inputs)
        pairs = zip(collage.layers, words, strict=True)
        layers = tuple(dataclasses.replace(layer, negative=own) for layer, own in pairs)
        return collage.with_layers(layers)

    return make


def confined(block: dict, row: int, masks, collage, f: float) -> torch.Tensor:
    """S + f m_j w+ M + log M for every token j of every layer, in float64."""
    heads = block["heads"]
    q, k, v = (block[n][row].double().unflatten(-1, (heads, -1)).transpose(0, 1) for n in "qkv")
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    biased = scores.clone()
    for layer, mask, tokens in zip(collage.shown, masks, TOKENS, strict=True):
        inside = mask.flatten().double()
        for start in range(0, scores.shape[-1], 77):
            for j in (start + token for token in tokens):
                peak = max(scores[:, :, j].max().item(), 0.0)
                biased[:, :, j] += f * peak * layer.attract * inside + inside.log()
    return (biased.softmax(-1) @ v).transpose(0, 1).flatten(1).float()


def assert_confined(paper, calls, collage, f=None) -> None:
    """Every row of every block: the negative's and the positive's, in whatever order."""
    for call in calls:
        factor = paper.factor(call["sigma"])
        for block in call["blocks"]:
            masks, _ = paper.masks_of(block, collage)
            for row, negative in enumerate(call["rows"]):
                if negative:
                    own = factor if f is None else f
                    wanted = confined(block, row, masks, collage, own)
                else:
                    wanted = paper.attention(block, row, masks, collage, factor)
                assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)


def test_rows_of_both_prompts_are_those_of_the_formulas(
    paper, make_both, patch_both, sample, spy, reverse_conds, request
) -> None:
    """Together in both orders, and apart."""
    collage = make_both()
    patched, positive, report, negative = patch_both(collage, negative="bad")
    assert f'must not show "{WORDS[1]}": tokens 5 ,, 6 wet, 7 dog of the negative' in report
    sample(spy.follow(patched), positive, negative=negative)
    assert [call["rows"] for call in spy.calls] == [[1, 0], [1, 0]]
    assert_confined(paper, spy.calls, collage)
    sample(spy.follow(reverse_conds(patched)), positive, negative=negative)
    assert {tuple(call["rows"]) for call in spy.calls} == {(1, 0)}
    request.getfixturevalue("low_memory")
    sample(spy.follow(patched), positive, negative=negative)
    assert sorted(call["rows"] for call in spy.calls) == [[0], [0], [1], [1]]
    assert_confined(paper, spy.calls, collage)


def test_beside_a_longer_prompt(paper, make_both, patch_both, sample, spy) -> None:
    """77 tokens are repeated to the length of 154, and all of them are biased."""
    collage = make_both()
    longer = dataclasses.replace(collage, prompt=collage.prompt + LONG)
    patched, positive, _, negative = patch_both(longer, negative="bad")
    sample(spy.follow(patched), positive, negative=negative, steps=1)
    (call,) = spy.calls
    for block in call["blocks"]:
        masks, _ = paper.masks_of(block, collage)
        row = call["rows"].index(1)
        wanted = confined(block, row, masks, collage, paper.factor(call["sigma"]))
        assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)


def test_each_picture_of_a_batch_has_its_own_places(make_both, patch_both, sample) -> None:
    collage = make_both(batch=2)
    patched, positive, _, negative = patch_both(collage)
    latent = {"samples": torch.zeros(2, 4, 12, 10), "batch_index": [0, 0]}
    pictures = sample(patched, positive, negative=negative, latent=latent)
    for number in (0, 1):
        patched, positive, _, negative = patch_both(collage.of_pictures((number,)))
        alone = sample(patched, positive, negative=negative)
        assert_close(pictures[number, None], alone, atol=1e-3, rtol=1e-3)
    assert (pictures[0] - pictures[1]).abs().max() > 1e-3


@pytest.mark.parametrize("inputs", [{"start_percent": 1.0}, {"strength": 0.0}])
def test_words_stay_out_of_other_places_without_any_attraction(
    paper, make_both, patch_both, sample, spy, inputs
) -> None:
    collage = make_both()
    patched, positive, _, negative = patch_both(collage, negative="bad", **inputs)
    sample(spy.follow(patched), positive, negative=negative, steps=1)
    (call,) = spy.calls
    for block in call["blocks"]:
        masks, _ = paper.masks_of(block, collage)
        row = call["rows"].index(1)
        wanted = confined(block, row, masks, collage, 0.0)
        assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)


def first_block(spy, sample, patched, positive, negative) -> torch.Tensor:
    """The negative row after the first block of the first call."""
    sample(spy.follow(patched), positive, negative=negative, steps=1)
    call = spy.calls[0]
    return call["blocks"][0]["out"][call["rows"].index(1)]


def test_elsewhere_it_is_the_plain_negative(
    paper, make_both, patch_both, sample, spy, encode
) -> None:
    """But for a few of the filling tokens; the whole prompt would change the place much more."""
    collage = make_both(words=("wild cat", ""))
    patched, positive, _, negative = patch_both(collage, negative="bad")
    plain, whole, own = (
        first_block(spy, sample, patched, positive, one)
        for one in (encode("bad"), encode("bad, wild cat"), negative)
    )
    masks, _ = paper.masks_of(spy.calls[0]["blocks"][0], collage)
    outside = masks[0].flatten() == 0
    assert outside.sum() > 10
    moved = (own - plain)[outside].abs().max()
    assert moved < (whole - plain)[outside].abs().max() / 10
    assert (own - plain)[~outside].abs().max() > 10 * moved


@pytest.mark.parametrize("everywhere", ["", "bad", "(bad:1.3), {"])
def test_without_words_of_layers_it_is_the_plain_prompt(
    make_collage, make_both, patch_both, sample, encode, everywhere
) -> None:
    collage = make_collage()
    ghost = dataclasses.replace(collage.layers[0], visible=False, negative="wild cat")
    with_ghost = collage.with_layers((*collage.layers, ghost))
    for silent in (collage, make_both(words=("", " ")), with_ghost):
        patched, positive, report, negative = patch_both(silent, negative=everywhere)
        ((features, options),) = negative
        ((plain, more),) = encode(everywhere)
        assert torch.equal(features, plain)
        assert options.keys() == more.keys()
        assert torch.equal(options["pooled_output"], more["pooled_output"])
        assert "must not show" not in report
        found = sample(patched, positive, negative=negative)
        assert torch.equal(found, sample(patched, positive, negative=encode(everywhere)))


def test_the_positive_row_and_the_pooled_output_are_those_without(
    make_collage, make_both, patch_both, sample, encode, spy
) -> None:
    patched, positive, _, negative = patch_both(make_both(), negative="bad")
    assert torch.equal(negative[0][1]["pooled_output"], encode("bad")[0][1]["pooled_output"])
    sample(spy.follow(patched), positive, negative=negative, steps=1)
    row = spy.calls[0]["blocks"][0]["out"][spy.calls[0]["rows"].index(0)].clone()
    patched, positive, _, negative = patch_both(make_collage())
    sample(spy.follow(patched), positive, negative=negative, steps=1)
    assert torch.equal(row, spy.calls[0]["blocks"][0]["out"][spy.calls[0]["rows"].index(0)])


def test_the_same_words_of_two_layers_have_two_places(make_both, patch_both) -> None:
    *_, negative = patch_both(make_both(words=("wild cat", "wild cat")))
    regions = negative[0][1]["collage_words"].bias.regions
    assert [(region.layers, region.tokens) for region in regions] == [
        ((0,), (1, 2)),
        ((1,), (3, 4, 5)),
    ]


def test_combined_and_cut_to_an_area(paper, make_both, patch_both, sample, spy, encode) -> None:
    import nodes

    collage = make_both()
    patched, positive, _, negative = patch_both(collage, negative="bad")
    sample(spy.follow(patched), positive, negative=[*encode("other"), *negative], steps=1)
    rows = [steered for call in spy.calls for steered in paper.steered(call).get(1, [])]
    assert sorted(rows) == [False, True]
    (area,) = nodes.ConditioningSetArea().append(negative, 48, 48, 16, 16, 1.0)
    sample(spy.follow(patched), positive, negative=area, steps=1)
    call = next(call for call in spy.calls if 1 in call["rows"])
    row, cut = call["rows"].index(1), [m[2:8, 2:8] for m in paper.latent_masks(collage)]
    for block in call["blocks"]:
        masks = [paper.shrink(m, block["grid"], -(-6 // block["grid"][1])) for m in cut]
        wanted = confined(block, row, masks, collage, paper.factor(call["sigma"]))
        assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)


def test_a_sampler_without_the_negative_is_told(make_both, patch_both, sample, caplog) -> None:
    patched, positive, _, negative = patch_both(make_both(words=("", "wet dog")))
    caplog.set_level(logging.WARNING)
    sample(patched, positive, negative=negative, steps=1)
    assert "must not show" not in caplog.text
    sample(patched, positive, steps=1)
    assert 'words that layer 2 "blue bear" must not show, but the sampler got' in caplog.text


@pytest.mark.parametrize(
    ("words", "everywhere", "match"),
    [
        ("(wild:inf)", "", 'CollageLayer, input negative: "\\(wild:inf\\)" has the weight inf'),
        ("embedding: ", "", "CollageLayer, input negative: .* without a name"),
        ("embedding:gone", "", "MaskedCrossAttentionPatch, input .*: .*gone"),
        ("", "embedding:gone", "MaskedCrossAttentionPatch, input .*: .*gone"),
        ("", "(bad:nan)", "MaskedCrossAttentionPatch, input negative: .* the weight nan"),
    ],
)
def test_words_that_cannot_be_read_are_refused(
    make_both, patch_both, refused, words, everywhere, match
) -> None:
    said = refused(lambda: patch_both(make_both(words=(words, "")), negative=everywhere))
    assert re.match(match, said)
