"""Picture and words stand where LAYOUTS says, proven without its numbers.

A network of one block, whose words are cut off on the left half of the picture: if they change,
nothing changes on the left, and every cell on the right.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest
import torch

JOINT = {"depth": 1, "depth_single_blocks": 0}
ONE_BLOCK = {
    "flux": JOINT,
    "flux2": JOINT,
    "chroma": JOINT,
    "sd3": {"num_blocks": 1, "x_block_self_attn_layers": []},
    "qwen_image": {"num_layers": 1},
    "zimage": {"n_layers": 1, "n_refiner_layers": 0},
    "lumina2": {"n_layers": 1, "n_refiner_layers": 0},
    "wan": {"num_layers": 1},
    "cosmos_predict2": {"num_blocks": 1},
    "anima": {"num_blocks": 1},
    "aura_flow": {"n_layers": 1, "n_double_layers": 0},
    "ltxv": {"num_layers": 1},
    "hunyuan_image": JOINT,
    "hunyuan_video": JOINT,
    "hunyuan_video15": JOINT,
    "kandinsky5": {"num_visual_blocks": 1, "num_text_blocks": 0},
    "omnigen2": {"num_layers": 1},
    "lens": {"num_layers": 1},
    "joyimage": {"num_layers": 1},
    "krea2": {"layers": 1},
}
MIXED = {"anima", "hunyuan_image", "hunyuan_video", "hunyuan_video15", "omnigen2", "krea2"}
WITH_REFERENCES = ["flux", "flux2", "qwen_image", "omnigen2", "joyimage", "krea2"]
CELLS = {"wan": 63, "cosmos_predict2": 63, "kandinsky5": 63, "ltxv": 221, "flux": 63}
MIDDLE = 6  # columns of the left half: whole cells of 1 and of 2
WORD = 7


@pytest.fixture
def cut_off(pack):
    """A bias that takes these words from the left half and leaves the right half as it is."""

    def make(height: int, width: int, words: tuple[int, ...]):
        core = pack.collage_core.attention.bias
        masks = torch.zeros(1, 1, 8 * height, 8 * width)
        masks[..., 8 * MIDDLE :] = 1
        return core.AttentionBias(masks, (core.TokenRegion((0,), words),), (0.0,), (1e9,))

    return make


def other_words(case, transformers, words: tuple[int, ...]) -> list:
    """The positive of a case with other features of these words."""
    ((features, options),) = case.positive
    ((other, _),) = transformers.text(case.family, features.shape[1], seed=21)
    changed = features.clone()
    changed[:, list(words)] = other[:, list(words)]
    return [[changed, options]]


@pytest.fixture
def halves(make_case, transformers, cut_off, predict, pack):
    """The largest change of each half's cells, [rows, columns], when cut off words change.

    A refiner mixes the words of some families, so all of theirs change.
    """

    def run(family: str, *, tokens=20, changed=None, words=None, shapes=None, after=None,
            size=None, **more):  # fmt: skip
        shapes = {**ONE_BLOCK[family], **(shapes or {})}
        case = make_case(family, batch=1, tokens=tokens, shapes=shapes, size=size)
        changed = changed or (tuple(range(tokens)) if family in MIXED else (WORD,))
        bias = cut_off(*case.x.shape[-2:], words or changed)
        found = []
        for positive in (case.positive, other_words(case, transformers, changed)):
            ((features, options),) = positive
            entry = [features, {**options, **more}]
            biased = pack.nodes.host.attention.conditioning.with_bias([entry], bias)
            biased = after(biased) if after else biased
            conds = {"positive": biased, "negative": case.negative}
            found.append(predict(case.patched, conds, case.x, case.sigma)["positive"])
        change = (found[0] - found[1]).abs().amax(1).squeeze()
        return change[:, :MIDDLE], change[:, MIDDLE:]

    return run


def assert_left_is_free(left: torch.Tensor, right: torch.Tensor) -> None:
    assert float(left.max()) == 0.0
    assert float(right.min()) > 0.0


@pytest.mark.parametrize("family", ONE_BLOCK)
def test_what_a_word_means_is_not_seen_where_it_is_cut_off(halves, family: str) -> None:
    words = tuple(range(25)) if family == "anima" else None  # those of its adapter
    assert_left_is_free(*halves(family, words=words))


def test_anima_without_its_adapter(halves) -> None:
    found = halves("anima", changed=(WORD,), t5xxl_ids=None, t5xxl_weights=None)
    assert_left_is_free(*found)


@pytest.mark.parametrize("family", WITH_REFERENCES)
@pytest.mark.parametrize("method", [None, "index"])
def test_beside_reference_latents(halves, transformers, family: str, method) -> None:
    references = [transformers.latents(family, *size, seed=5) for size in ((11, 9), (8, 8))]
    told = {} if method is None else {"reference_latents_method": method}
    assert_left_is_free(*halves(family, reference_latents=references, **told))


def test_the_reference_of_hunyuan_video(halves, transformers) -> None:
    reference = transformers.latents("hunyuan_video", 12, 8, seed=5)
    reference = torch.cat([reference, reference], 2)  # two frames
    assert_left_is_free(*halves("hunyuan_video", ref_latent=reference))


def test_the_reference_of_a_wan_that_takes_one(halves, transformers) -> None:
    references = [transformers.latents("wan", 18, 14, seed=5)]
    assert_left_is_free(*halves("wan", reference_latents=references))
    shapes = {"in_dim_ref_conv": 16}
    assert_left_is_free(*halves("wan", reference_latents=references, shapes=shapes))


def test_other_encoders_beside_the_text(halves) -> None:
    """Glyphs of HunyuanImage; glyphs and the look at a picture of HunyuanVideo 1.5."""
    generator = torch.Generator().manual_seed(2)
    glyphs = torch.randn(1, 9, 1472, generator=generator)
    look = SimpleNamespace(last_hidden_state=torch.randn(1, 5, 16, generator=generator))
    glyphs_of_image = halves("hunyuan_image", conditioning_byt5small=glyphs)
    assert_left_is_free(*glyphs_of_image)  # this checkpoint has no use for them
    glyphs = {"conditioning_byt5small": glyphs}
    assert_left_is_free(*halves("hunyuan_image", shapes={"byt5": True}, **glyphs))
    assert_left_is_free(*halves("hunyuan_video15", **glyphs))
    assert_left_is_free(*halves("hunyuan_video15", clip_vision_output=look, **glyphs))


@pytest.mark.parametrize("family", ["flux", "flux2", "zimage", "wan", "lens", "aura_flow"])
def test_text_that_was_appended(halves, transformers, family: str) -> None:
    import nodes

    other = transformers.text(family, 12, seed=9)
    appended = partial(nodes.ConditioningConcat().concat, conditioning_from=other)
    assert_left_is_free(*halves(family, after=lambda own: appended(own)[0]))


@pytest.mark.parametrize("family", CELLS)
def test_as_many_words_as_cells(halves, family: str) -> None:
    """In a cross-attention network, self-attention then has the same lengths."""
    assert_left_is_free(*halves(family, tokens=CELLS[family]))


I2V = {"num_layers": 1, "model_type": "i2v", "in_dim": 36}


def look_at_a_picture(tokens: int) -> torch.Tensor:
    return torch.randn(1, tokens, 1280, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("look", [9, 20, 63])
@pytest.mark.parametrize("tokens", [20, 63])
def test_words_beside_a_look_at_a_picture(halves, tokens: int, look: int) -> None:
    """An image-to-video model asks a picture before the text, here as long as text or cells."""
    seen = SimpleNamespace(penultimate_hidden_states=look_at_a_picture(look))
    found = halves("wan", tokens=tokens, shapes=I2V, clip_vision_output=seen)
    assert_left_is_free(*found)
    assert_left_is_free(*halves("wan", tokens=tokens, clip_vision_output=seen))  # no use for it


@pytest.mark.parametrize("tokens", [20, 63])
def test_a_look_at_a_picture_is_no_word(make_case, cut_off, predict, pack, tokens: int) -> None:
    """It is as long as the text, and seen everywhere: also where the word of its place is not."""
    case = make_case("wan", batch=1, tokens=tokens, shapes=I2V)
    ((features, options),) = case.positive
    bias, found = cut_off(*case.x.shape[-2:], (WORD,)), []
    for change in (0.0, 1.0):
        look = look_at_a_picture(tokens)
        look[:, WORD] += change * look[:, 0]
        seen = SimpleNamespace(penultimate_hidden_states=look)
        entry = [[features, {**options, "clip_vision_output": seen}]]
        positive = pack.nodes.host.attention.conditioning.with_bias(entry, bias)
        conds = {"positive": positive, "negative": case.negative}
        found.append(predict(case.patched, conds, case.x, case.sigma)["positive"])
    changed = (found[0] - found[1]).abs().amax(1).squeeze()
    assert float(changed.min()) > 0.0


def test_an_anima_of_512_cells(halves) -> None:
    """As many as its adapter makes words, whose own attention is not the network's."""
    assert_left_is_free(*halves("anima", words=tuple(range(25)), size=(32, 64)))
