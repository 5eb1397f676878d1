"""The prompt of what layers must not show, and text features around its words."""

from __future__ import annotations

import pytest
import torch

from collage_core.attention.bias import AttentionBias, TokenRegion, attention_bias
from collage_core.attention.spans import TokenSpans, plain_around
from collage_core.prompt.negatives import negative_phrases


@pytest.mark.parametrize(
    ("everywhere", "texts", "prompt", "regions"),
    [
        ("", ["striped"], "striped", {0: "striped"}),
        ("blurry", ["striped"], "blurry, striped", {0: ", striped"}),
        ("blurry ", ["", "a (red:1.2) dot", " "], "blurry, a (red:1.2) dot", {1: ", a red dot"}),
        ("blurry.", ["red", "red"], "blurry. red, red", {0: "red", 1: ", red"}),
        ("(blurry:1.3)", ["red"], "(blurry:1.3) , red", {0: ", red"}),
        ("", ["", "embedding:bad"], "embedding:bad", {1: "embedding:bad"}),
        ("\u6a21\u7cca", ["\u6761\u7eb9"], "\u6a21\u7cca, \u6761\u7eb9", {0: ", \u6761 \u7eb9"}),
        ("blurry ", ["", ""], "blurry ", {}),
    ],
)
def test_a_region_has_the_words_of_one_layer(
    everywhere: str, texts: list[str], prompt: str, regions: dict[int, str]
) -> None:
    found = negative_phrases(everywhere, texts)
    assert found.prompt == prompt
    told = {
        region.layers[0]: " ".join(prompt[a:b] for a, b in region.places[0].words)
        for region in found.regions
    }
    assert told == regions


def features(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[None, :, None]


@pytest.mark.parametrize(
    ("words", "plain", "tokens", "lengths", "wanted"),
    [
        # as long as before: the closing tokens move back, the last filling ones go
        ((1, 2, 53, 54, 9, 8), (1, 2, 70, 71, 72, 73), (2, 3), (), (1, 2, 53, 54, 70, 71)),
        # a prompt that is not filled up
        ((1, 2, 53, 54, 9), (1, 2, 70), (2, 3), (), (1, 2, 53, 54, 70)),
        # more tokens behind than the plain prompt has
        ((1, 53, 9, 9, 9, 9), (1, 70, 71), (1,), (), (1, 53, 70, 71, 71, 71)),
        # two encoders behind each other
        ((1, 53, 9, 9, 2, 64, 8), (1, 70, 71, 72, 2, 80, 81), (1, 5), (4, 3),
         (1, 53, 70, 71, 2, 64, 80)),
        # two encoders of which one got longer: nothing is known
        ((1, 53, 9, 2, 64, 8, 7), (1, 70, 71, 2, 80, 81), (1, 4), (3, 4),
         (1, 53, 9, 2, 64, 8, 7)),
    ],
)  # fmt: skip
def test_all_but_the_words_is_that_of_the_plain_prompt(
    words: tuple[int, ...],
    plain: tuple[int, ...],
    tokens: tuple[int, ...],
    lengths: tuple[int, ...],
    wanted: tuple[int, ...],
) -> None:
    spans = TokenSpans((TokenRegion((0,), tokens),), {}, len(words), lengths=lengths)
    before = features(*words)
    assert torch.equal(plain_around(before, features(*plain), spans), features(*wanted))
    assert torch.equal(before, features(*words))


def test_confined_words_have_no_weight_outside_and_the_share_of_the_mask_inside() -> None:
    """Against the softmax with these words' terms times M, without and with attraction."""
    generator = torch.Generator().manual_seed(4)
    q, k = (torch.randn(1, count, 8, generator=generator) for count in (16, 6))
    masks = torch.rand(1, 1, 4, 4, generator=generator)
    masks[..., :2] = 0
    for attract in (0.0, 0.7):
        bias = AttentionBias(
            masks, (TokenRegion((0,), (2, 3)),), (attract,), (9.0,), "constant", confined=True
        )
        columns = bias.token_columns(6, 6, 1.0)
        added = attention_bias(q, k, 2, bias.region_weights((4, 4), (4, 4)), columns)
        heads = [x.double().unflatten(-1, (2, 4)).transpose(1, 2) for x in (q, k)]
        scores = heads[0] @ heads[1].transpose(-1, -2) / 2
        peaks = scores.amax((1, 2)).clamp(min=0)[0]
        inside = masks.flatten().double()
        terms = scores.exp()
        for token in (2, 3):
            terms[..., token] *= inside * (attract * peaks[token] * inside).exp()
        wanted = terms / terms.sum(-1, keepdim=True)
        found = (scores + added).softmax(-1)
        torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)
        assert (found[:, :, masks.flatten() == 0][..., 2:4] == 0).all()


def test_confined_words_stay_out_where_the_schedule_has_ended() -> None:
    masks = torch.tensor([[[[1.0, 0.0]]]])
    bias = AttentionBias(masks, (TokenRegion((0,), (1,)),), (0.3,), (0.5,), end=0.0, confined=True)
    assert bias.factor(14.0) == 0
    q = torch.ones(1, 2, 4)
    weights = bias.region_weights((1, 2), (1, 2))
    added = attention_bias(q, q, 1, weights, bias.token_columns(2, 2, bias.factor(14.0)))
    assert added[0, 0].tolist() == [[0, 0], [0, -1e4]]
