"""The parts of a prompt, for pictures that come without words of their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from .syntax import Word, split_words

# between parts, as ASCII and as Chinese writing has them; a line break is white space as ever.
# The Chinese "and" is none: without spaces it cannot be told from a part of a word, as in kimono.
SEPARATORS = {",", ";", "and", "\u3001", "\uff0c", "\uff1b", "\u3002"}


def prompt_parts(prompt: str) -> list[str]:
    """What stands between commas, semicolons, full stops and "and", in the prompt's order.

    Parentheses and weights are left out, as phrases are compared without them.

    Example: prompt_parts("a (blue mug:1.2), bread and tea") == ["a blue mug", "bread", "tea"]
    """
    runs = groupby(split_words(prompt), lambda word: _separates(prompt, word))
    return [_written(prompt, [*run]) for separates, run in runs if not separates]


def _separates(prompt: str, word: Word) -> bool:
    # the full stop of a number is followed by a digit
    ends = word.key == "." and not prompt[word.end : word.end + 1].strip()
    return ends or word.key in SEPARATORS


def _written(prompt: str, words: Sequence[Word]) -> str:
    """The words as the prompt has them, with one space where there was white space."""
    text = ""
    for word, following in zip(words, [*words[1:], None], strict=True):
        between = prompt[word.end : following.start] if following else ""
        text += prompt[word.start : word.end] + " " * any(map(str.isspace, between))
    return text
