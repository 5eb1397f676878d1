"""Where the words of each layer stand in the scene prompt.

Words are compared whole, ignoring case, the amount of white space, how accents are composed and
ComfyUI's weight syntax: "teddy bear" stands in "a (Teddy:1.2)  bear". Positions always count
characters of the prompt as it was given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from .errors import CollageError, quoted
from .words import WEIGHT, Word, split_words

LONGEST_PROMPT = 10_000
DEEPEST = 100  # parentheses inside each other; ComfyUI's reader calls itself for each

Span = tuple[int, int]  # first character, one past the last
Key = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """One spot where a phrase stands.

    `words` are the spans that belong to it: those of a shorter phrase inside are not among them.
    """

    start: int
    end: int
    words: tuple[Span, ...]


@dataclass(frozen=True)
class Group:
    """Layers, as indices from 0, and the places whose words belong to all of them.

    Most groups are one layer. Several layers are one region, the union of theirs: "two cakes".
    """

    layers: tuple[int, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Phrases:
    """A prompt and its groups: every layer is in one group, every word in one place or none."""

    prompt: str
    groups: tuple[Group, ...]

    def of_layer(self, index: int) -> Group:
        return next(group for group in self.groups if index in group.layers)


def check_prompt(prompt: str) -> None:
    """Raise CollageError for what ComfyUI's prompt reader would choke on or read as nonsense."""
    problem = ""
    if len(prompt) > LONGEST_PROMPT:
        problem = f"has {len(prompt)} characters. Use at most {LONGEST_PROMPT}"
    elif re.search(r"(?:^|(?<=[\s()]))embedding:\s*(?=$|[()]|embedding:)", prompt):
        problem = 'has an "embedding:" without a name. Write the name directly after the colon'
    elif _depth(prompt) > DEEPEST:
        problem = f"has more than {DEEPEST} parentheses inside each other. Take some out"
    for weight in WEIGHT.findall(prompt):
        if not math.isfinite(float(weight)):
            problem = f"has the weight {weight}. Use a number such as 1.2"
    if problem:
        raise CollageError(f"CollageStack, input prompt: {quoted(prompt)} {problem}.")


def _depth(prompt: str) -> int:
    """Opening parentheses that stand open at once, escaped ones too."""
    depth = deepest = 0
    for char in prompt:
        depth = max(depth + (char == "(") - (char == ")"), 0)
        deepest = max(deepest, depth)
    return deepest


def find_phrases(prompt: str, texts: Sequence[tuple[int, str]]) -> Phrases:
    """Find every layer's text, given as (number for messages, text), in the prompt.

    A phrase takes every place where it stands, longer phrases first, so that "bear" leaves the
    "bear" of "red bear" alone when it stands elsewhere too; when it does not, it takes its words
    out of the longer phrase. Layers with the same phrase take its places in order when there
    are as many, and share them otherwise. Raises one CollageError with every layer whose words
    are missing or cross those of another.
    """
    words = split_words(prompt)
    layers_of: dict[Key, list[int]] = {}
    for index, (_, text) in enumerate(texts):
        layers_of.setdefault(_key(text), []).append(index)
    claimed: dict[Key, list[range]] = {}
    for key in sorted(layers_of, key=lambda key: (-len(key), -len("".join(key)))):
        claimed[key] = _claim(key, words, [r for ranges in claimed.values() for r in ranges])
    owner = {i: key for key, ranges in claimed.items() for taken in ranges for i in taken}
    places = {key: tuple(_place(key, r, words, owner) for r in claimed[key]) for key in layers_of}

    problems = [
        f"CollageStack, layer {number} {quoted(text)}, input text: "
        f"{_problem(_key(text), prompt, words, places)}."
        for number, text in texts
        if not any(place.words for place in places[_key(text)])
    ]
    if problems:
        listed = "\n".join(problems)
        raise CollageError(
            f"{listed}\nThe prompt is {quoted(prompt)}. "
            "Write each layer's text into it word for word, or correct the text."
        )
    return Phrases(prompt, tuple(_groups(layers_of, places)))


def _key(text: str) -> Key:
    return tuple(word.key for word in split_words(text))


def _matches(key: Key, words: list[Word]) -> list[range]:
    spelt = tuple(word.key for word in words)
    n = len(key)
    return [range(i, i + n) for i in range(len(spelt)) if n and spelt[i : i + n] == key]


def _claim(key: Key, words: list[Word], taken: list[range]) -> list[range]:
    """The words that a phrase takes: free ones, or else those inside longer phrases."""

    def apart(a: range, b: range) -> bool:
        return a.stop <= b.start or b.stop <= a.start

    def inside(a: range, b: range) -> bool:
        return b.start <= a.start and a.stop <= b.stop

    matches = _matches(key, words)
    free = [m for m in matches if all(apart(m, t) for t in taken)]
    nested = [m for m in matches if all(apart(m, t) or inside(m, t) for t in taken)]
    claimed: list[range] = []
    for match in free or nested:
        if not claimed or apart(match, claimed[-1]):
            claimed.append(match)
    return claimed


def _place(key: Key, claimed: range, words: list[Word], owner: dict[int, Key]) -> Place:
    own = tuple((words[i].start, words[i].end) for i in claimed if owner[i] == key)
    return Place(words[claimed.start].start, words[claimed.stop - 1].end, own)


def _groups(
    layers_of: dict[Key, list[int]], places: dict[Key, tuple[Place, ...]]
) -> Iterator[Group]:
    for key, layers in layers_of.items():
        if len(layers) == len(places[key]):
            pairs = zip(layers, places[key], strict=True)
            yield from (Group((layer,), (place,)) for layer, place in pairs)
        else:
            yield Group(tuple(layers), places[key])


def _problem(key: Key, prompt: str, words: list[Word], places: dict[Key, tuple[Place, ...]]) -> str:
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
    nearest = _nearest(key, prompt, words)
    return "does not stand in the prompt" + (f"; nearest: {nearest}" if nearest else "")


def _nearest(key: Key, prompt: str, words: list[Word]) -> str:
    """Up to three stretches of the prompt that look like the phrase."""
    stretches = {
        " ".join(word.key for word in words[i : i + length]): prompt[
            words[i].start : words[i + length - 1].end
        ]
        for length in range(max(1, len(key) - 1), len(key) + 2)
        for i in range(len(words) - length + 1)
    }
    close = get_close_matches(" ".join(key), stretches, n=3, cutoff=0.6)
    return ", ".join(quoted(stretches[match]) for match in close)


def describe(start: int, end: int) -> str:
    """A span of the prompt as people count: from 1, the last one included."""
    return f"characters {start + 1} to {end}"
