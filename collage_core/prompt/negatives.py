"""The prompt of what a picture must not show: words for all of it, and words of its layers."""

from __future__ import annotations

from collections.abc import Sequence

from .phrases import Phrases, Place, WordRegion
from .syntax import split_words

STOPS = tuple(".,;:!?\u3001\u3002\uff0c\uff1b")


def negative_phrases(everywhere: str, texts: Sequence[str]) -> Phrases:
    """The words of the whole picture and then those of each layer, a region for every text.

    A comma before a layer's words belongs to them. Empty texts have no region. Layers with the same
    words have places of their own.

        negative_phrases("blurry", ["striped", "", "red"]).prompt == "blurry, striped, red"
    """
    prompt, spans = everywhere.rstrip(), []
    for index, text in enumerate(texts):
        if text.strip():
            start = len(prompt)
            prompt += _separator(prompt) + text.strip()
            spans.append((index, start, len(prompt)))
    words = split_words(prompt)
    regions = []
    for index, start, end in spans:
        own = tuple((word.start, word.end) for word in words if start <= word.start < end)
        regions.append(WordRegion((index,), (Place(own[0][0], own[-1][1], own),)))
    return Phrases(prompt if spans else everywhere, tuple(regions))


def _separator(before: str) -> str:
    """What keeps words apart for every tokenizer: signs that touch may be one token."""
    if not before:
        return ""
    if before.endswith(STOPS):
        return " "
    return ", " if before[-1].isalnum() else " , "
