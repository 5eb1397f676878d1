"""A prompt as ComfyUI reads it: which characters are words and which are weight syntax."""

from __future__ import annotations

from collections.abc import Iterator

from .phrases import Span


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
