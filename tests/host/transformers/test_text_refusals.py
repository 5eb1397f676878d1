"""Models, text encoders and embeddings that do not go together: one sentence each."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from safetensors.torch import save_file

PROMPT = "a red fox and a blue bear"


@pytest.fixture
def refused(pack):
    def check(match: str):
        match = f"^MaskedCrossAttentionPatch, input {match}"
        return pytest.raises(pack.collage_core.errors.CollageError, match=match)

    return check


@pytest.mark.parametrize(("family", "network"), [("pixart", "PixArtMS"), ("ernie", "ErnieImage")])
def test_networks_that_take_no_override(
    transformers, clips, make_collage, patch, refused, family, network
) -> None:
    model = transformers.tiny_transformer(family)
    known = "SD1.x, SD2.x, SDXL, Flux.1, Flux.2, .*, Z-Image, .* and Kandinsky 5 models are"
    with refused(f"model: \\w+ is not supported with the network {network}\\w*; {known}"):
        patch(model=model, clip=clips("chroma"), collage=make_collage(PROMPT))


def test_another_packs_network_is_named(transformers, clips, make_collage, patch, refused) -> None:
    model = transformers.tiny_transformer("flux")
    network = model.model.diffusion_model
    network.__class__ = type("QuickFlux", (type(network),), {})
    with refused("model: Flux is not supported with the network QuickFlux; "):
        patch(model=model, clip=clips("flux"), collage=make_collage(PROMPT))


@pytest.mark.parametrize(
    ("family", "clip", "told"),
    [
        ("flux", "zimage", "Z-Image, and the model, Flux, takes that of Flux.1 or Flux.2 or "),
        ("zimage", "flux", "Flux.1, and the model, NextDiT, takes that of Z-Image or Lumina"),
        ("qwen_image", "longcat", "LongCat-Image, and the model, QwenImageTransformer2DModel, "),
        ("wan", "chroma", "Chroma, and the model, WanModel, takes that of Wan"),
    ],
)
def test_a_clip_of_another_family(
    transformers, clips, make_collage, patch, refused, family, clip, told
) -> None:
    model = transformers.tiny_transformer(family)
    with refused(f"clip: it is that of {told}"):
        patch(model=model, clip=clips(clip), collage=make_collage(PROMPT))


def test_a_clip_of_another_width(transformers, clips, make_collage, patch, refused) -> None:
    model = transformers.tiny_transformer("flux")
    with refused("clip: it gives 192 numbers per token, and the model takes 64"):
        patch(model=model, clip=clips("klein"), collage=make_collage(PROMPT))


def test_a_tokenizer_that_nobody_knows(transformers, clips, make_collage, patch, refused) -> None:
    clip = clips("flux").clone()
    clip.tokenizer = type("NewTokenizer", (type(clip.tokenizer),), {})()
    with refused("clip: it is that of a CLIP with the tokenizer NewTokenizer, and the model"):
        patch(model=transformers.tiny_transformer("flux"), clip=clip, collage=make_collage(PROMPT))


@pytest.mark.parametrize(("tokenizer", "length"), [("FluxTokenizer", 257), ("SD3Tokenizer", 150)])
def test_features_that_are_not_those_of_the_tokens(pack, refused, tokenizer, length) -> None:
    core, host = pack.collage_core.attention, pack.nodes.host
    regions = (core.bias.TokenRegion((0,), (3, 4)),)
    lengths = (77, 77) if tokenizer == "SD3Tokenizer" else (256,)
    spans = core.spans.TokenSpans(regions, {}, sum(lengths), lengths=lengths)
    text = host.models.families.TEXTS[tokenizer]
    with refused(f"clip: it gives {length} text features for {spans.length} tokens"):
        host.attention.token_spans.in_features(spans, length, text)
    kept = host.attention.token_spans.in_features(spans, spans.length, text)
    assert kept.regions == spans.regions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Embeddings for T5 and Qwen, sound and not."""
    folder = tmp_path_factory.mktemp("embeddings")
    generator = torch.Generator().manual_seed(3)
    vectors = torch.randn(2, 4096, generator=generator)
    save_file({"t5xxl": vectors}, folder / "fur.safetensors")
    save_file({"qwen3_4b": torch.randn(3, 2560, generator=generator)}, folder / "silk.safetensors")
    save_file({"t5xxl": vectors * torch.nan}, folder / "broken.safetensors")
    return str(folder)


@pytest.fixture
def spans(pack, encoders, folder):
    """The spans of "fox" in a prompt, for a tokenizer with a folder of embeddings."""

    def find(family: str, prompt: str, embedding=None):
        core, host = pack.collage_core.prompt, pack.nodes.host

        class Clip:
            tokenizer = encoders.FAMILIES[family].tokenizer(embedding_directory=folder)

            def tokenize(self, text: str, return_word_ids: bool = False):
                return self.tokenizer.tokenize_with_weights(text, return_word_ids)

        clip = Clip()
        if embedding is not None:
            memory = host.models.embeddings_in_memory
            clip.tokenizer = memory.tokenizer_with(clip.tokenizer, [embedding])
        phrases = core.phrases.find_phrases(prompt, [(1, "fox")])
        names = [None if embedding is None else embedding.name]
        phrases = core.insertion.insert_embeddings(phrases, names)
        text = host.models.families.TEXTS[type(clip.tokenizer).__name__]
        return host.attention.token_spans.token_spans(clip, phrases, text)

    return find


@pytest.mark.parametrize(
    ("family", "name", "count"),
    [("flux", "fur", 2), ("chroma", "fur", 2), ("zimage", "silk", 4), ("joyimage", "fur", 3)],
)
def test_embeddings_are_counted(spans, family, name, count) -> None:
    """With Qwen's tokenizer a lone space stands beside them."""
    plain = spans(family, "one, red fox")
    learned = spans(family, f"one, embedding:{name} red fox")
    (own,), (moved,) = plain.regions, learned.regions
    assert moved.tokens == tuple(token + count for token in own.tokens)


@pytest.mark.parametrize("family", ["qwen_image", "longcat", "ovis", "omnigen2", "aura_flow"])
def test_embeddings_that_would_be_words(spans, refused, family) -> None:
    with refused('collage: "embedding:fur" in the prompt is only words to the text encoder of'):
        spans(family, "one, embedding:fur fox")


def test_anima_takes_no_vectors(spans, refused) -> None:
    with refused('collage: "embedding:fur" .* the text encoder of Anima takes no vectors'):
        spans("anima", "one, embedding:fur fox")


@pytest.mark.parametrize(
    ("family", "name", "told"),
    [
        ("flux", "silk", r"has the shape \[3, 2560\]; the text encoder t5xxl needs 4096 numbers"),
        ("flux", "broken", "holds a vector of NaN"),
        ("zimage", "nowhere", "was not found for the text encoder qwen3_4b"),
    ],
)
def test_embeddings_that_cannot_be_used(spans, refused, family, name, told) -> None:
    with refused(f'collage: "embedding:{name}" in the prompt {told}'):
        spans(family, f"one, embedding:{name} fox")


def test_an_embedding_in_parentheses_that_are_words(spans, refused) -> None:
    with refused('collage: "embedding:silk" .* is read as words by the text encoder qwen3_4b'):
        spans("zimage", "one, (embedding:silk fox)")


def spelt(spans) -> list[str]:
    return [spans.spelling[place] for place in spans.regions[0].tokens]


def test_an_embedding_of_a_layer_is_read_from_memory(pack, spans, refused) -> None:
    make = pack.collage_core.collage.layer.Embedding
    held = make(name="held", vectors={"l": torch.ones(3, 2560)})
    assert spelt(spans("zimage", "one fox", held)) == ["learned"] * 3 + ["fox"]
    for_t5 = dataclasses.replace(held, vectors={"l": torch.ones(2, 4096)})
    assert spelt(spans("flux", "one fox", for_t5))[:2] == ["learned"] * 2
    with refused('collage: "embedding:held" in the prompt is only words'):
        spans("qwen_image", "one fox", held)
    with refused('collage: "embedding:held" in the prompt was not found'):
        spans("flux", "one fox", held)
