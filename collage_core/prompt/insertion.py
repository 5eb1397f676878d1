"""Learned embeddings in a prompt: `embedding:NAME` before the words of its layer."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from .phrases import Phrases, Place, WordRegion
from .syntax import Span


def insert_embeddings(phrases: Phrases, names: Sequence[str | None]) -> Phrases:
    """Put `embedding:NAME ` before each place of a layer that has a name; one name or None a layer.

    Each `embedding:NAME` becomes the first word of its place, and all spans count characters of
    the new prompt. A place that several layers share gets each of their names once. ComfyUI reads
    an embedding only at the start or after white space, so a space is added where there is none.

        "a fox", name "fur" of its layer  ->  "a embedding:fur fox"
    """
    tokens: dict[Place, list[str]] = {}
    for region in phrases.regions:
        learned = dict.fromkeys(f"embedding:{names[i]}" for i in region.layers if names[i])
        tokens |= {place: list(learned) for place in region.places if learned}

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

    regions = (WordRegion(r.layers, tuple(map(moved, r.places))) for r in phrases.regions)
    return Phrases(text, tuple(regions))
