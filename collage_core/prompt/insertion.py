"""Learned tokens in a prompt: `embedding:NAME` before the words of its layer."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from .phrases import Group, Phrases, Place
from .syntax import Span


def insert_embeddings(phrases: Phrases, names: Sequence[str | None]) -> Phrases:
    """Put `embedding:NAME ` before each place of a layer that has a name (one or None each).

    The tokens are the first words of their place, and all spans count the new prompt. Where
    several layers share a place, each of their names is put there once. ComfyUI reads the token
    only at the start or after white space, so a space goes before it where there is none.
    """
    tokens: dict[Place, list[str]] = {}
    for group in phrases.groups:
        learned = dict.fromkeys(f"embedding:{names[i]}" for i in group.layers if names[i])
        tokens |= {place: list(learned) for place in group.places if learned}

    text, done = "", 0
    spans: dict[Place, list[Span]] = {}
    positions: list[int] = []
    shifts = [0]
    for place in sorted(tokens, key=lambda place: (place.start, -place.end)):
        text += phrases.prompt[done : place.start]
        done = place.start
        if text and not text[-1].isspace():
            text += " "
        spans[place] = []
        for token in tokens[place]:
            spans[place].append((len(text), len(text) + len(token)))
            text += token + " "
        positions.append(place.start)
        shifts.append(len(text) - place.start)
    text += phrases.prompt[done:]

    def moved(place: Place) -> Place:
        words = spans.get(place, []) + [
            (start + shift, end + shift)
            for start, end in place.words
            for shift in [shifts[bisect_right(positions, start)]]
        ]
        start = place.start + shifts[bisect_left(positions, place.start)]
        end = place.end + shifts[bisect_left(positions, place.end)]
        return Place(spans[place][0][0] if place in spans else start, end, tuple(words))

    groups = (Group(g.layers, tuple(moved(place) for place in g.places)) for g in phrases.groups)
    return Phrases(text, tuple(groups))
