"""A prompt as words: what may match a layer's phrase, and where."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from .weighted_text import embeddings

# ComfyUI's (word:1.3); nan and inf are numbers to it too
WEIGHT = re.compile(
    r":\s*([-+]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+|nan|inf(?:inity)?)(?:e[-+]?\d+)?)"
    r"\s*(?=\))",
    re.IGNORECASE,
)
SYNTAX = re.compile(rf"\\?[()]|{WEIGHT.pattern}", re.IGNORECASE)

# Scripts written without spaces, Thai to Khmer and Chinese and Japanese: a word per character
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
JOINERS = "\u200c\u200d"  # zero-width: inside Persian words and compound emoji


@dataclass(frozen=True)
class Word:
    """A word or a lone sign; `key` is equal for spellings that count as the same word."""

    start: int
    end: int
    key: str


def split_words(text: str) -> list[Word]:
    """The words and signs of a text in order, without white space, parentheses and weights.

    An `embedding:NAME` is one word: its name may hold the words of a layer and is none of them.
    """
    syntax = {i for match in SYNTAX.finditer(text) for i in range(*match.span())}
    named = _embedding_ends(text, syntax)
    spans: list[tuple[int, int]] = []
    done = 0
    for i, char in enumerate(text):
        if i < done or i in syntax or char.isspace():
            continue
        if i in named:
            done = named[i]
            spans.append((i, done))
        elif spans and spans[-1][1] == i and _continues(text, spans[-1][0], i):
            spans[-1] = (spans[-1][0], i + 1)
        else:
            spans.append((i, i + 1))
    return [Word(start, end, _key(text[start:end])) for start, end in spans]


def _embedding_ends(text: str, syntax: set[int]) -> dict[int, int]:
    """Where each `embedding:NAME` starts -> ends, without a weight or a parenthesis behind it."""
    return {
        one.start: next((i for i in range(one.start, one.end) if i in syntax), one.end)
        for one in embeddings(text)
        if one.name
    }


def _continues(text: str, start: int, i: int) -> bool:
    if unicodedata.category(text[i]).startswith("M") or text[i] in JOINERS:
        return True
    return text[i - 1] in JOINERS or (_is_letter(text[start]) and _is_letter(text[i]))


def _is_letter(char: str) -> bool:
    return (char.isalnum() or char == "_") and not UNSPACED.match(char)


def _key(word: str) -> str:
    return unicodedata.normalize("NFC", word.casefold())
