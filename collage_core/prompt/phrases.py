"""Where the words of each layer stand in the scene prompt.

Words are compared whole, ignoring case, the amount of white space, how accents are composed and
ComfyUI's weight syntax: "teddy bear" stands in "a (Teddy:1.2)  bear". Positions always count
characters of the prompt as it was given.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import accumulate

from ..errors import CollageError, quoted
from .checks import foreign_signs
from .syntax import Span, Word, split_words, word_keys

# A message names the nearest stretches for so many layers, comparing the start of their phrases.
MOST_COMPARED, WORDS_COMPARED, LETTERS_COMPARED = 4, 6, 60

Key = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """One occurrence of a phrase.

    words: the spans that belong to it, without those of a shorter phrase inside.
    """

    start: int
    end: int
    words: tuple[Span, ...]


@dataclass(frozen=True)
class WordRegion:
    """Layers, as indices from 0, and the places whose words belong to all of them.

    Most regions are one layer. Layers that share their words are one region: two layers of cake
    in the prompt "two cakes". `TokenRegion` is the same region after tokenising.
    """

    layers: tuple[int, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Phrases:
    """A prompt and its regions: every layer is in one region, every word in at most one place.

    find_phrases("a red fox", [(1, "red fox")])
    Phrases("a red fox", (WordRegion((0,), (Place(2, 9, ((2, 5), (6, 9))),)),))
    """

    prompt: str
    regions: tuple[WordRegion, ...]

    def of_layer(self, index: int) -> WordRegion:
        return next(region for region in self.regions if index in region.layers)


def find_phrases(
    prompt: str, texts: Sequence[tuple[int, str]], node: str = "CollageStack"
) -> Phrases:
    """Find every layer's text, given as (number for messages, text), in the prompt.

    A phrase takes every place where it occurs, longer phrases first: "bear" leaves the "bear" of
    "red bear" alone if it occurs elsewhere too, and takes its words out of the longer phrase if
    not. Layers with the same phrase take its places in order where there are as many places as
    layers, and share them otherwise. Raises one CollageError in the name of `node` that names
    every layer whose words are missing or cross those of another layer.
    """
    places, layers_of = _places(prompt, [text for _, text in texts])
    keys = [word_keys(text) for _, text in texts]
    bad = [index for index, key in enumerate(keys) if not any(one.words for one in places[key])]
    if bad:
        words = split_words(prompt)
        nearest = {i: _nearest(keys[i], prompt, words) for i in bad[:MOST_COMPARED]}
        listed = "\n".join(
            f"{node}, layer {number} {quoted(text)}, input text: "
            f"{_problem(keys[i], prompt, words, places, nearest.get(i, ''))}"
            f"{''.join(f'; {sign}' for sign in foreign_signs(text))}."
            for i in bad
            for number, text in [texts[i]]
        )
        raise CollageError(
            f"{listed}\nThe prompt is {quoted(prompt)}. "
            "Write each layer's text into it word for word, or correct the text."
        )
    return Phrases(prompt, tuple(_regions(layers_of, places)))


def _places(
    prompt: str, texts: Sequence[str]
) -> tuple[dict[Key, tuple[Place, ...]], dict[Key, list[int]]]:
    """Where each phrase stands, in the order of the layers, and the layers of each phrase.

    A phrase that is missing or crosses another has no place; one whose words all belong to
    phrases inside it has places without words.
    """
    words = split_words(prompt)
    layers_of: dict[Key, list[int]] = {}
    for index, text in enumerate(texts):
        layers_of.setdefault(word_keys(text), []).append(index)
    claimed: dict[Key, list[range]] = {}
    for key in sorted(layers_of, key=lambda key: (-len(key), -len("".join(key)))):
        claimed[key] = _claim(key, words, [r for ranges in claimed.values() for r in ranges])
    owner = {i: key for key, ranges in claimed.items() for taken in ranges for i in taken}
    places = {key: tuple(_place(key, r, words, owner) for r in claimed[key]) for key in layers_of}
    return places, layers_of


def _matches(key: Key, words: list[Word]) -> list[range]:
    """Every stretch of words with the keys of the phrase; no key contains white space."""
    spelt = "\n" + "".join(f"{word.key}\n" for word in words)
    index = {
        start: i for i, start in enumerate(accumulate((len(w.key) + 1 for w in words), initial=0))
    }
    phrase, found = "\n{}\n".format("\n".join(key)), []
    at = spelt.find(phrase) if key else -1
    while at >= 0:
        found.append(range(index[at], index[at] + len(key)))
        at = spelt.find(phrase, at + 1)
    return found


def _claim(key: Key, words: list[Word], taken: list[range]) -> list[range]:
    """The words that a phrase takes: free ones, or else those inside longer phrases.

    No taken stretch is shorter than the phrase, so one without an edge inside a match contains
    all of the match or none of it.
    """
    edges = sorted({edge for one in taken for edge in (one.start, one.stop)})
    covered = {i for one in taken for i in one}
    whole = [
        match
        for match in _matches(key, words)
        if bisect_right(edges, match.start) == bisect_left(edges, match.stop)
    ]
    claimed: list[range] = []
    for match in [match for match in whole if match.start not in covered] or whole:
        if not claimed or claimed[-1].stop <= match.start:
            claimed.append(match)
    return claimed


def _place(key: Key, claimed: range, words: list[Word], owner: dict[int, Key]) -> Place:
    own = tuple((words[i].start, words[i].end) for i in claimed if owner[i] == key)
    return Place(words[claimed.start].start, words[claimed.stop - 1].end, own)


def _regions(
    layers_of: dict[Key, list[int]], places: dict[Key, tuple[Place, ...]]
) -> Iterator[WordRegion]:
    for key, layers in layers_of.items():
        if len(layers) == len(places[key]):
            pairs = zip(layers, places[key], strict=True)
            yield from (WordRegion((layer,), (place,)) for layer, place in pairs)
        else:
            yield WordRegion(tuple(layers), places[key])


def _problem(
    key: Key,
    prompt: str,
    words: list[Word],
    places: dict[Key, tuple[Place, ...]],
    nearest: str,
) -> str:
    """Why a phrase has no words of its own in the prompt."""
    if not key:
        return "has no words"
    if places[key]:
        return "has no word left that is not in the phrase of another layer"
    if matches := _matches(key, words):
        start, end = words[matches[0].start].start, words[matches[0].stop - 1].end
        crossed = next(
            place
            for found in places.values()
            for place in found
            if start < place.start < end < place.end or place.start < start < place.end < end
        )
        return (
            f"at {describe(start, end)} it crosses another layer's "
            f"{quoted(prompt[crossed.start : crossed.end])} at "
            f"{describe(crossed.start, crossed.end)}"
        )
    return "does not stand in the prompt" + (f"; nearest: {nearest}" if nearest else "")


def _nearest(key: Key, prompt: str, words: list[Word]) -> str:
    """Up to three stretches of the prompt that look like the phrase, or like how it begins.

    A stretch is compared if it contains a word of the phrase, or if the phrase is short.
    """
    beginning = key[:WORDS_COMPARED]
    stretches: dict[str, str] = {}
    for length in range(max(1, len(beginning) - 1), len(beginning) + 2):
        for i in range(len(words) - length + 1):
            keys = [word.key for word in words[i : i + length]]
            if len(beginning) < 3 or not set(beginning).isdisjoint(keys):
                stretch = prompt[words[i].start : words[i + length - 1].end]
                stretches[" ".join(keys)[:LETTERS_COMPARED]] = stretch
    close = get_close_matches(" ".join(beginning)[:LETTERS_COMPARED], stretches, n=3, cutoff=0.6)
    return ", ".join(quoted(stretches[match]) for match in close)


def describe(start: int, end: int) -> str:
    """A span of the prompt for messages: counted from 1, the last character included."""
    return f"characters {start + 1} to {end}"
