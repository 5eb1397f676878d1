"""Sentences with a place for the learned words, and the words to start from."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Embedding, Layer
from collage_core.errors import CollageError
from collage_core.inversion.prompts import PLACEHOLDER, nouns_first, scene, sentences

WORD = f"embedding:{PLACEHOLDER}"


def layer(text: str, **settings: Any) -> Layer:
    shade = torch.full((1, 4, 4, 3), len(text) / 100)
    return Layer(image=shade, alpha=torch.ones(1, 4, 4), text=text, **settings)


def collage(prompt: str, *layers: Layer) -> Collage:
    background = torch.zeros(1, 64, 64, 3)
    return Collage(width=64, height=64, prompt=prompt, background=background, layers=layers)


def test_the_learned_words_stand_before_the_phrase():
    first = sentences(layer("(teddy   bear:1.2)"))[0]
    assert first.with_token == f"a photo of {WORD} teddy bear"
    assert first.without_noun == f"a photo of {WORD}"
    assert first.without_token == "a photo of teddy bear"


def test_the_collages_prompt_keeps_the_words_of_others():
    cat = layer("cat", embedding=Embedding(name="tom", vectors={}))
    bear = layer("bear")
    found = scene(bear, collage("a cat and a bear", cat, bear))
    assert found is not None
    assert found.with_token == f"a embedding:tom cat and a {WORD} bear"
    assert found.without_token == "a embedding:tom cat and a bear"


def test_a_layer_that_is_not_in_the_collage_is_found_in_its_prompt():
    found = scene(layer("bear"), collage("a cat and a bear", layer("cat")))
    assert found is not None
    assert found.with_token == f"a cat and a {WORD} bear"


def test_a_prompt_without_the_phrase_is_left_out():
    assert scene(layer("bear"), collage("a cat", layer("cat"))) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sushi", ["sushi"]),
        ("red teddy bear", ["bear", "red", "teddy"]),
        ("a bowl of white rice", ["bowl", "white", "rice"]),
        ("the (old car:1.3) in the snow", ["car", "old", "snow"]),
        ("of rice", ["rice"]),
        ("t-shirt", ["shirt", "t"]),
    ],
)
def test_the_head_noun_comes_first(text: str, words: list[str]):
    assert nouns_first(text) == words


@pytest.mark.parametrize("text", ["the", "123", "!?", "of the", "(a:1.2)", "an embedding:fur"])
def test_a_phrase_that_names_nothing_is_refused(text: str):
    with pytest.raises(CollageError, match=r"LayerTextualInversion, layer .* names no thing"):
        nouns_first(text)
