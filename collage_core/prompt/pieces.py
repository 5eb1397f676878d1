"""Which pieces of a prompt belong to which layers, ready to be tokenised one by one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from .phrases import Phrases
from .syntax import Span, escaped, read_prompt


@dataclass(frozen=True)
class Piece:
    """A stretch of the prompt without weight syntax, the parentheses in it escaped.

    region: index of the region it belongs to, None for words of no layer.
    """

    text: str
    region: int | None
    span: Span


def prompt_pieces(phrases: Phrases) -> list[Piece]:
    """The prompt cut where the words of a region begin and end; weight syntax is left out.

    Words of one region with nothing but white space between them stay together, so that a
    tokenizer splits them as it does in the whole prompt.

        "a (red fox:1.2) sat"  ->  "a ", "red fox" of region 0, " sat"
    """
    owner: list[int | None] = [None] * len(phrases.prompt)
    for number, region in enumerate(phrases.regions):
        for place in region.places:
            for start, end in joined(place.words, phrases.prompt):
                owner[start:end] = [number] * (end - start)
    pieces = []
    for start, end in read_prompt(phrases.prompt).literals:
        cuts = [i for i in range(start + 1, end) if owner[i] != owner[i - 1]]
        for a, b in pairwise([start, *cuts, end]):
            pieces.append(Piece(escaped(phrases.prompt[a:b]), owner[a], (a, b)))
    return pieces


def joined(words: tuple[Span, ...], prompt: str) -> list[Span]:
    """The words as stretches: those with nothing but white space between them are one."""
    stretches: list[Span] = []
    for start, end in sorted(words):
        if stretches and not prompt[stretches[-1][1] : start].strip():
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((start, end))
    return stretches


def named_embeddings(prompt: str) -> list[str]:
    """The names after "embedding:" in order, as a prompt must write them."""
    return [escaped(one.name) for one in read_prompt(prompt).embeddings]


def region_positions(
    pieces: list[Piece], counts: list[int], positions: list[int]
) -> dict[int, tuple[int, ...]]:
    """The positions of every region's tokens, given the number of tokens of each piece.

    positions: those of all word tokens in the conditioning, in order.
    """
    regions: dict[int, tuple[int, ...]] = {}
    done = 0
    for piece, count in zip(pieces, counts, strict=True):
        if piece.region is not None:
            own = tuple(positions[done : done + count])
            regions[piece.region] = regions.get(piece.region, ()) + own
        done += count
    return regions
