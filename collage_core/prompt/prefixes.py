"""The tokens of a phrase by prefixes, for tokenizers that see the whole prompt at once.

Language models put the prompt into a template and merge signs across words, so that pieces of it do
not add up. But what stands before a place in the prompt does not depend on what follows: the
tokens that `prompt[:place]` has in common before two different words are its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

import torch

from .phrases import Phrases
from .pieces import joined
from .syntax import Span, escaped, read_prompt

Token = int | torch.Tensor  # a number of the vocabulary, or the vector of an embedding
EMBEDDING = "embedding:"
QUOTES = re.compile(
    r"(?<!\w)['\"\u2018\u2019\u201c\u201d]|['\"\u2018\u2019\u201c\u201d](?!\w)"
)  # not those in a word
ENDINGS = (" one", " two")  # two words whose tokens differ from the first on


class UnclearBorderError(ValueError):
    """The tokenizer does not tell the words at `span` from the signs next to them."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.span = span


class CutOffError(ValueError):
    """The tokenizer drops what lies behind its last token, the words at `span` among it."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.span = span


@dataclass(frozen=True)
class Prefixes:
    """A prompt before a tokenizer; tokenise: text -> all of its tokens, those of a template too.

    weights: whether the tokenizer reads (x:1.2) as a weight; if not, it is words like any other.

        Prefixes("a red fox", tokenise, weights=False).tokens((2, 9))  # range(1, 3)
    """

    prompt: str
    tokenise: Callable[[str], list[Token]]
    weights: bool

    @cached_property
    def whole(self) -> list[Token]:
        return self.tokenise(self.prompt)

    def tokens(self, span: Span) -> range:
        """The indices of the tokens of prompt[start:end].

        Raises UnclearBorderError where one reaches over an edge, CutOffError behind the last.
        """
        last = self._count(span[1], span)
        first = self._first(span)
        if self.prompt.startswith(EMBEDDING, span[0]):  # a space before it is a token of its own
            while first < last and not isinstance(self.whole[first], torch.Tensor):
                first += 1
        if first >= last:
            raise UnclearBorderError(span)
        return range(first, last)

    def _first(self, span: Span) -> int:
        """Tokens before the span; parentheses that are words may share a token with its first."""
        start = span[0]
        try:
            return self._count(start, span)
        except UnclearBorderError:
            before = self.prompt[:start].rstrip("(")
            if self.weights or len(before) == start:
                raise
            return self._count(len(before), span)

    def _count(self, place: int, span: Span) -> int:
        """Tokens before a place of the prompt, where they are those of the whole prompt."""
        one, two = (self.tokenise(self._before(place, ending)) for ending in ENDINGS)
        count = in_common(one, two)
        if count == len(one):
            raise CutOffError(span)
        if in_common(one[:count], self.whole) < count:
            raise UnclearBorderError(span)
        return count

    def _before(self, place: int, ending: str) -> str:
        """The prompt up to a place and another word, without a space where a literal begins."""
        text, closing = (self.prompt[:place], "") if not self.weights else self._closed(place)
        text = text.rstrip()
        begins = not text or (closing and text.endswith("(") and not text.endswith("\\("))
        return text + (ending.strip() if begins else ending) + closing

    def _closed(self, place: int) -> tuple[str, str]:
        """The prompt up to a place, and what closes the groups of weights that are open there.

        Parentheses that are words are escaped: without the rest they could be a group.
        """
        text, done, depth = "", 0, 0
        for start, end in (*self._literals, (place, place)):
            signs = self.prompt[done : min(start, place)]
            depth += signs.count("(") - signs.count(")")
            text += signs + escaped(self.prompt[start : min(end, place)])
            done = end
            if end >= place:
                break
        return text, ")" * depth

    @cached_property
    def _literals(self) -> tuple[Span, ...]:
        return read_prompt(self.prompt).literals


def remedy(prefixes: Prefixes, span: Span) -> str:
    """What tells the words at an unclear span apart: "space" around them, no "quotes", or ""."""
    prompt, (start, end) = prefixes.prompt, span
    spaced = f"{prompt[:start]} {prompt[start:end]} {prompt[end:]}"
    before, own, after = (
        QUOTES.sub("", part) for part in (prompt[:start], prompt[start:end], prompt[end:])
    )
    tried = {
        "space": (spaced, start + 1, end + 1),
        "quotes": (before + own + after, len(before), len(before + own)),
    }
    for name, (text, first, last) in tried.items():
        try:
            Prefixes(text, prefixes.tokenise, prefixes.weights).tokens((first, last))
        except (UnclearBorderError, CutOffError):
            continue
        return name
    return ""


def region_tokens(phrases: Phrases, prefixes: Prefixes) -> dict[int, tuple[int, ...]]:
    """The indices of the tokens of every region, in the order of the prompt."""
    return {
        number: tuple(
            index
            for place in region.places
            for span in joined(place.words, phrases.prompt)
            for index in prefixes.tokens(span)
        )
        for number, region in enumerate(phrases.regions)
    }


def in_common(tokens: list[Token], others: list[Token]) -> int:
    """The length of the longest beginning that both have."""
    pairs = zip(tokens, others, strict=False)
    return sum(1 for _ in takewhile(lambda pair: same_token(*pair), pairs))


def same_token(token: Token | None, other: Token | None) -> bool:
    if isinstance(token, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(token, other)
    if isinstance(token, torch.Tensor) or isinstance(other, torch.Tensor):
        return False
    return token == other
