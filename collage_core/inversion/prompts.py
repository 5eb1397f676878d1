"""The sentences that a layer's vectors are trained in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..collage.collage import Collage
from ..collage.layer import Layer
from ..errors import CollageError
from ..prompt.insertion import insert_embeddings
from ..prompt.phrases import find_phrases
from ..prompt.syntax import read_prompt, split_words
from .settings import where

PLACEHOLDER = "collage-layer-in-training"
TEMPLATES = (
    "a photo of {}",
    "a picture of {}",
    "{}",
    "{} on a table",
    "a close-up of {}",
    "a cropped photo of {}",
    "a rendition of {}",
    "a good picture of {} in a scene",
)
# the head of an English noun phrase stands before one of these
PREPOSITIONS = re.compile("of|with|in|on|at|from|for|by|to|under|over|near|beside|behind")
# words that name no object
PARTICLES = re.compile("an?|the|some|any|th(is|at|ese|ose)|and|or|no|not|my|your|it")


@dataclass(frozen=True)
class Sentence:
    """One prompt in three forms; TOKEN stands for the learned embedding.

    with_token     "a photo of TOKEN teddy bear"
    without_noun   "a photo of TOKEN"
    without_token  "a photo of teddy bear"
    """

    with_token: str
    without_noun: str
    without_token: str


def sentences(layer: Layer) -> tuple[Sentence, ...]:
    """Every template with the layer's phrase."""
    phrase = plain_phrase(layer.text)
    token = f"embedding:{PLACEHOLDER}"
    return tuple(
        Sentence(t.format(f"{token} {phrase}"), t.format(token), t.format(phrase))
        for t in TEMPLATES
    )


def scene(layer: Layer, collage: Collage) -> Sentence | None:
    """The collage's own prompt; None where the layer's phrase does not occur in it."""
    others = [other for other in collage.shown if not same_layer(other, layer)]
    texts = [(number, other.text) for number, other in enumerate([*others, layer], 1)]
    names = [other.embedding.name if other.embedding else None for other in others]
    try:
        phrases = find_phrases(collage.prompt, texts)
    except CollageError:
        return None
    with_token = insert_embeddings(phrases, [*names, PLACEHOLDER]).prompt
    without_token = insert_embeddings(phrases, [*names, None]).prompt
    return Sentence(with_token, with_token, without_token)


def same_layer(one: Layer, other: Layer) -> bool:
    """Whether two layers show the same object; strengths and embeddings may differ."""
    return one.text == other.text and one.has_pixels_of(other)


def plain_phrase(text: str) -> str:
    """A layer's text without weight syntax."""
    return " ".join("".join(text[start:end] for start, end in read_prompt(text).literals).split())


def nouns_first(text: str) -> list[str]:
    """The words that name the object, its head noun first: "red teddy bear" -> bear, red, teddy.

    Raises CollageError where no word names an object.
    """
    words = [text[word.start : word.end] for word in split_words(text)]
    words = [
        word
        for word in words
        if any(char.isalpha() for char in word) and not word.startswith("embedding:")
    ]
    head_end = next((i for i, word in enumerate(words) if i and _is(PREPOSITIONS, word)), None)
    before, after = (
        [word for word in part if not _is(PREPOSITIONS, word) and not _is(PARTICLES, word)]
        for part in (words[:head_end], words[head_end:] if head_end else [])
    )
    if not before and not after:
        raise CollageError(
            f"{where(text, 'layer')}: its text names no thing, so there is no word to start "
            'from. Give the layer a text such as "teddy bear".'
        )
    return [*_head_first(before or after), *(after if before else [])]


def _head_first(words: Sequence[str]) -> list[str]:
    return [words[-1], *words[:-1]]


def _is(kind: re.Pattern[str], word: str) -> bool:
    return kind.fullmatch(word.casefold()) is not None
