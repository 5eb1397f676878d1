"""Where each layer's words stand among the tokens of a prompt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .bias import TokenRegion

LEARNED = "learned"  # the text of a token that is a vector of an embedding


@dataclass(frozen=True)
class TokenSpans:
    """The regions of a prompt with the positions of their tokens, and the text of each token.

    length: tokens of the whole prompt with start, end, padding and template; english: whether the
    encoder knows no other language; idle_weights: weights of the prompt that are words to it.

        token_spans(clip, find_phrases("a red fox", [(1, "fox")]))
        TokenSpans((TokenRegion((0,), (3,)),), {3: "fox"}, length=77)
    """

    regions: tuple[TokenRegion, ...]
    spelling: dict[int, str]
    length: int
    english: bool = True
    idle_weights: tuple[str, ...] = ()
    parts: int = field(default=1, repr=False)

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
            parts=other.parts + self.parts,
        )

    def moved(self, places: int) -> TokenSpans:
        regions = tuple(
            replace(region, tokens=tuple(token + places for token in region.tokens))
            for region in self.regions
        )
        spelling = {token + places: text for token, text in self.spelling.items()}
        return replace(self, regions=regions, spelling=spelling)
