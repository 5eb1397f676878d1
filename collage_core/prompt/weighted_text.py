"""ComfyUI's prompt language: what is tokenised, what is a weight, where embeddings stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

Span = tuple[int, int]  # first character, one past the last

# ComfyUI looks for an embedding at the start of what is tokenised and after white space.
EMBEDDING = re.compile(r"(?:^|(?<=\s))embedding:(?:\s+(?!embedding:))?(\S*)")


@dataclass(frozen=True)
class NamedEmbedding:
    """An `embedding:NAME` of a prompt, as it is written there; `name` is empty without one."""

    start: int
    end: int
    name: str


def embeddings(prompt: str) -> list[NamedEmbedding]:
    """Every place where ComfyUI reads an embedding, in order."""
    if "embedding:" not in prompt:
        return []
    return [
        NamedEmbedding(start + match.start(), start + match.start(1) + len(name), name)
        for start, end in literal_spans(prompt)
        for match in EMBEDDING.finditer(prompt[start:end])
        for name in [embedding_name(match[1])]
    ]


def embedding_name(text: str) -> str:
    """The name at the start of what stands behind "embedding:", without a comma that ends it."""
    name = re.split(r"[\s<\[]", text, maxsplit=1)[0]
    return name.rstrip(",") or name


def literal_spans(prompt: str) -> list[Span]:
    """The stretches of the prompt that are tokenised, in order.

    Left out are parentheses that group and the weight before the closing one. The rules are
    those of ComfyUI's prompt reader: a parenthesis that is escaped or has no partner is a
    character like any other, and only what Python reads as a number is a weight.
    """
    hidden = _without_escapes(prompt)
    return [span for span in _literals(hidden, 0) if span[0] < span[1]]


def _without_escapes(prompt: str) -> str:
    """The prompt, as long as before, with other characters for each escaped parenthesis."""
    return prompt.replace("\\(", "\0\0").replace("\\)", "\0\0")


def _literals(text: str, offset: int) -> Iterator[Span]:
    for start, end in _items(text):
        item = text[start:end]
        if len(item) < 2 or item[0] != "(" or item[-1] != ")":
            yield offset + start, offset + end
            continue
        inside = item[1:-1]
        colon = inside.rfind(":")
        if colon > 0 and _is_number(inside[colon + 1 :]):
            inside = inside[:colon]
        yield from _literals(inside, offset + start + 1)


def _items(text: str) -> Iterator[Span]:
    """Top-level groups with their parentheses, and the stretches between them."""
    start, depth = 0, 0
    for i, char in enumerate(text):
        if char == "(":
            if depth == 0 and start < i:
                yield start, i
                start = i
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                yield start, i + 1
                start = i + 1
    if start < len(text):
        yield start, len(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
