"""Which pieces of a prompt belong to which layers, ready to be tokenised one by one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from .phrases import Phrases
from .syntax import Span, escaped, read_prompt


@dataclass(frozen=True)
class Piece:
    """A stretch of the prompt without weight syntax, parentheses in it escaped.

    group: index of the group of layers it belongs to, None for words of no layer.
    """

    text: str
    group: int | None
    span: Span


def prompt_pieces(phrases: Phrases) -> list[Piece]:
    """The prompt cut where the words of a group begin and end; weight syntax is left out.

    Words of one group with nothing but white space between them stay together, so that a
    tokenizer sees them as it does in the whole prompt.
    """
    owner: list[int | None] = [None] * len(phrases.prompt)
    for number, group in enumerate(phrases.groups):
        for place in group.places:
            for start, end in _joined(place.words, phrases.prompt):
                owner[start:end] = [number] * (end - start)
    pieces = []
    for start, end in read_prompt(phrases.prompt).literals:
        cuts = [i for i in range(start + 1, end) if owner[i] != owner[i - 1]]
        for a, b in pairwise([start, *cuts, end]):
            pieces.append(Piece(escaped(phrases.prompt[a:b]), owner[a], (a, b)))
    return pieces


def _joined(words: tuple[Span, ...], prompt: str) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(words):
        if joined and not prompt[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def named_embeddings(prompt: str) -> list[str]:
    """The names after "embedding:" in the order they stand, as they are written in a prompt."""
    return [escaped(one.name) for one in read_prompt(prompt).embeddings]


def group_positions(
    pieces: list[Piece], counts: list[int], positions: list[int]
) -> dict[int, tuple[int, ...]]:
    """Where the tokens of every group stand, given the number of tokens of each piece.

    positions: places in the conditioning of all tokens that are words, in order.
    """
    groups: dict[int, tuple[int, ...]] = {}
    done = 0
    for piece, count in zip(pieces, counts, strict=True):
        if piece.group is not None:
            own = tuple(positions[done : done + count])
            groups[piece.group] = groups.get(piece.group, ()) + own
        done += count
    return groups
