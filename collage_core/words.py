"""A prompt as words: what may match a layer's phrase, and where."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

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
# where ComfyUI reads an embedding; its name may hold the words of a layer and is not one of them
EMBEDDING = re.compile(r"(?:^|(?<=[\s(]))embedding:[^\s()]+")
JOINERS = "\u200c\u200d"  # zero-width: inside Persian words and compound emoji


@dataclass(frozen=True)
class Word:
    """A word or a lone sign; `key` is equal for spellings that count as the same word."""

    start: int
    end: int
    key: str


def split_words(text: str) -> list[Word]:
    """The words and signs of a text in order, without white space, parentheses and weights."""
    syntax = {i for match in SYNTAX.finditer(text) for i in range(*match.span())}
    spans: list[tuple[int, int]] = []
    named = _embeddings(text, syntax)
    for i, char in enumerate(text):
        if i in syntax or char.isspace() or any(start < i < end for start, end in named):
            continue
        if end := next((end for start, end in named if start == i), 0):
            spans.append((i, end))
        elif spans and spans[-1][1] == i and _continues(text, spans[-1][0], i):
            spans[-1] = (spans[-1][0], i + 1)
        else:
            spans.append((i, i + 1))
    return [Word(start, end, _key(text[start:end])) for start, end in spans]


def _embeddings(text: str, syntax: set[int]) -> list[tuple[int, int]]:
    """The spans of `embedding:NAME`, without a weight behind the name or a comma."""
    spans = []
    for match in EMBEDDING.finditer(text):
        end = next((i for i in range(*match.span()) if i in syntax), match.end())
        spans.append((match.start(), match.start() + len(text[match.start() : end].rstrip(","))))
    return spans


def _continues(text: str, start: int, i: int) -> bool:
    if unicodedata.category(text[i]).startswith("M") or text[i] in JOINERS:
        return True
    return text[i - 1] in JOINERS or (_is_letter(text[start]) and _is_letter(text[i]))


def _is_letter(char: str) -> bool:
    return (char.isalnum() or char == "_") and not UNSPACED.match(char)


def _key(word: str) -> str:
    return unicodedata.normalize("NFC", word.casefold())
