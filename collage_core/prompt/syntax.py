"""What ComfyUI reads in a prompt, and the words that phrases are matched with.

This is the only reader of ComfyUI's prompt language in the pack.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

Span = tuple[int, int]  # first character, one past the last

DEEPEST = 100  # parentheses inside each other; ComfyUI's reader calls itself for each

BRACKET = re.compile("[()]")
PARENTHESIS = re.compile(r"\\?[()]")  # escaped or not
# ComfyUI looks for an embedding at the start of a literal and after white space.
EMBEDDING = re.compile(r"(?:^|(?<=\s))embedding:(?:\s+(?!embedding:))?(\S*)")

# Scripts written without spaces, Thai to Khmer and Chinese and Japanese: a word per character
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
JOINERS = "\u200c\u200d"  # zero-width: inside Persian words and compound emoji


@dataclass(frozen=True)
class NamedEmbedding:
    """`embedding:NAME` as it is written in a prompt; `name` is empty where none follows."""

    start: int
    end: int
    name: str


@dataclass(frozen=True)
class Syntax:
    """A prompt as ComfyUI reads it; all spans count its characters.

    literals: what is tokenised, without the parentheses of groups; weights: from the colon to the
    closing parenthesis of a group.

        read_prompt("a (red:1.2) embedding:fur hat")
        literals    (0, 2) "a ", (3, 6) "red", (11, 29) " embedding:fur hat"
        weights     (6, 10) ":1.2"
        embeddings  NamedEmbedding(12, 25, "fur")
    """

    literals: tuple[Span, ...]
    weights: tuple[Span, ...]
    embeddings: tuple[NamedEmbedding, ...]


@dataclass(frozen=True)
class Word:
    """A word or a lone sign; `key` is equal for spellings that count as the same word."""

    start: int
    end: int
    key: str


def read_prompt(prompt: str) -> Syntax:
    """Read a prompt by the rules of ComfyUI's own reader.

    An escaped parenthesis, one without a partner and one deeper than `DEEPEST` is a character like
    any other. Only what Python reads as a number is a weight.
    """
    hidden = prompt.replace("\\(", "\0\0").replace("\\)", "\0\0")  # as long as before
    literals, weights = [], []
    for span, is_weight in _spans(hidden):
        (weights if is_weight else literals).append(span)
    named = (
        NamedEmbedding(start + match.start(), start + match.start(1) + len(name), name)
        for start, end in literals
        for match in EMBEDDING.finditer(prompt[start:end])
        for name in [embedding_name(match[1])]
    )
    return Syntax(tuple(literals), tuple(weights), tuple(named))


def _spans(text: str) -> Iterator[tuple[Span, bool]]:
    """Each literal and each weight of a text, in order; is it a weight?"""
    partner, opened = {}, []
    for match in BRACKET.finditer(text):
        if match[0] == "(":
            opened.append(match.start())
        elif opened:
            partner[opened.pop()] = match.start()

    def inside(first: int, last: int, levels: int) -> Iterator[tuple[Span, bool]]:
        for start, end in _items(text, first, last, partner):
            if not levels or end - start < 2 or text[start] != "(" or text[end - 1] != ")":
                yield (start, end), False
                continue
            colon = text.rfind(":", start + 1, end - 1)
            if colon > start + 1 and _is_number(text[colon + 1 : end - 1]):
                yield from inside(start + 1, colon, levels - 1)
                yield (colon, end - 1), True
            else:
                yield from inside(start + 1, end - 1, levels - 1)

    return inside(0, len(text), DEEPEST)


def _items(text: str, first: int, last: int, partner: dict[int, int]) -> Iterator[Span]:
    """Top-level groups with their parentheses, and the stretches between them.

    A closing parenthesis without a partner takes the next opening one for its own.
    """
    start, at, surplus = first, first, 0
    while match := BRACKET.search(text, at, last):
        at = match.start()
        if match[0] == ")" or surplus:
            surplus += 1 if match[0] == ")" else -1
            at += 1
            continue
        if start < at:
            yield start, at
        start, end = at, partner.get(at, last) + 1
        if end > last:
            break  # the rest is one item
        yield start, end
        start = at = end
    if start < last:
        yield start, last


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def weight_texts(prompt: str) -> list[str]:
    """The weights as they are written, "1.2" of "(red:1.2)"; Python's `float` reads each."""
    return [prompt[start + 1 : end].strip() for start, end in read_prompt(prompt).weights]


def embedding_name(text: str) -> str:
    """The name at the start of what follows "embedding:", without the comma that ends it."""
    name = re.split(r"[\s<\[]", text, maxsplit=1)[0]
    return name.rstrip(",") or name


def escaped(text: str) -> str:
    """The text with a backslash before each parenthesis that has none."""
    return re.sub(r"(?<!\\)([()])", r"\\\1", text)


def split_words(text: str) -> list[Word]:
    """The words and signs of a text in order, without white space, parentheses and weights.

    An `embedding:NAME` is one word: its name may contain words of a layer and is none of them.
    """
    read = read_prompt(text)
    syntax = {i for match in PARENTHESIS.finditer(text) for i in range(*match.span())}
    ends = {
        one.start: next((i for i in range(one.start, one.end) if i in syntax), one.end)
        for one in read.embeddings
        if one.name
    }
    syntax.update(i for span in read.weights for i in range(*span))
    spans: list[Span] = []
    done = 0
    for i, char in enumerate(text):
        if i < done or i in syntax or char.isspace():
            continue
        if i in ends:
            done = ends[i]
            spans.append((i, done))
        elif spans and spans[-1][1] == i and _continues(text, spans[-1][0], i):
            spans[-1] = (spans[-1][0], i + 1)
        else:
            spans.append((i, i + 1))
    return [Word(start, end, _key(text[start:end])) for start, end in spans]


@lru_cache(maxsize=1024)
def word_keys(text: str) -> tuple[str, ...]:
    """The keys of the words of a text: equal for texts that count as the same words."""
    return tuple(word.key for word in split_words(text))


def _continues(text: str, start: int, i: int) -> bool:
    if unicodedata.category(text[i]).startswith("M") or text[i] in JOINERS:
        return True
    return text[i - 1] in JOINERS or (_is_letter(text[start]) and _is_letter(text[i]))


def _is_letter(char: str) -> bool:
    return (char.isalnum() or char == "_") and not UNSPACED.match(char)


def _key(word: str) -> str:
    return unicodedata.normalize("NFC", word.casefold())
