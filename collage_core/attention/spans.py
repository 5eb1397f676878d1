"""Where each layer's words stand among the tokens of a prompt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, pairwise

import torch

from .bias import TokenRegion

LEARNED = "learned"  # the text of a token that is a vector of an embedding


@dataclass(frozen=True)
class TokenSpans:
    """The regions of a prompt with the positions of their tokens, and the text of each token.

    length: tokens of the whole prompt with start, end, padding and template; english: whether the
    encoder knows no other language; idle_weights: weights of the prompt that are words to it;
    lengths: tokens of each text encoder where several stand behind each other, else empty.

        token_spans(clip, find_phrases("a red fox", [(1, "fox")]))
        TokenSpans((TokenRegion((0,), (3,)),), {3: "fox"}, length=77)
    """

    regions: tuple[TokenRegion, ...]
    spelling: dict[int, str]
    length: int
    english: bool = True
    idle_weights: tuple[str, ...] = ()
    lengths: tuple[int, ...] = field(default=(), repr=False)

    @property
    def parts(self) -> tuple[int, ...]:
        return self.lengths or (self.length,)

    def behind(self, other: TokenSpans) -> TokenSpans:
        """Both as one, the tokens of the other first; a region has the tokens of both."""
        regions = tuple(
            replace(region, tokens=(*region.tokens, *own.tokens))
            for region, own in zip(other.regions, self.moved(other.length).regions, strict=True)
        )
        return replace(
            self,
            regions=regions,
            spelling=other.spelling | self.moved(other.length).spelling,
            length=other.length + self.length,
            lengths=(*other.parts, *self.parts),
        )

    def moved(self, places: int) -> TokenSpans:
        regions = tuple(
            replace(region, tokens=tuple(token + places for token in region.tokens))
            for region in self.regions
        )
        spelling = {token + places: text for token, text in self.spelling.items()}
        return replace(self, regions=regions, spelling=spelling)


def plain_around(words: torch.Tensor, plain: torch.Tensor, spans: TokenSpans) -> torch.Tensor:
    """Text features [1, K, D] with the regions' words, and all else as in the plain prompt's.

    plain: features [1, P, D] of the prompt that ends where the first region begins. The tokens
    that close a prompt and fill it up have read all of it: a model follows them as much as words.
    What the plain prompt has no token for stays as it is, or is like its last token at the end.
    """
    made = words.clone()
    ends = [*accumulate(spans.parts, initial=0)]
    one = len(ends) == 2  # of an encoder that may drop its template
    if not one and words.shape[1] != plain.shape[1]:
        return made
    places = sorted(chain(*(region.tokens for region in spans.regions)))
    for start, end in [(0, words.shape[1])] if one else pairwise(ends):
        own = [place for place in places if start <= place < end]
        first, last = own[0], own[-1] + 1
        source = plain[:, start : plain.shape[1] if one else end]
        before = source[:, : first - start]
        behind = source[:, first - start : end - last + first - start]
        made[:, start : start + before.shape[1]] = before
        made[:, last:end] = source[:, -1:]
        made[:, last : last + behind.shape[1]] = behind
    return made
