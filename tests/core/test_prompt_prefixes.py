"""Tokens of phrases by the prefixes of a prompt, with tokenizers that are easy to read."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from collage_core.prompt.phrases import find_phrases
from collage_core.prompt.prefixes import (
    CutOffError,
    Prefixes,
    UnclearBorderError,
    region_tokens,
    remedy,
    same_token,
)

VECTOR = torch.ones(3)


def words(text: str, *, keep: int = 100) -> list[Any]:
    """A template around words and signs; "!" sticks to the word before it, "VEC" is a vector."""
    found = re.findall(r"\w+!?|[^\w\s]", text)
    body = [VECTOR.clone() if word == "VEC" else word for word in found]
    return ["<user>", *body, "<end>"][:keep]


def weighted(text: str) -> list[Any]:
    """Like `words`, where closed groups of parentheses are weights and others are words."""
    shown = text.replace("\\(", "<").replace("\\)", ">")
    while (inner := re.sub(r"\(([^()]*?)(:[\d.]+)?\)", r" \1 ", shown)) != shown:
        shown = inner
    return words(shown.replace("<", "(").replace(">", ")"))


def spelt(prompt: str, text: str, *, tokenise: Any = words, weights: bool = False) -> list[Any]:
    prefixes = Prefixes(prompt, tokenise, weights)
    positions = region_tokens(find_phrases(prompt, [(1, text)]), prefixes)
    return [prefixes.whole[place] for place in positions[0]]


@pytest.mark.parametrize(
    ("prompt", "text", "expected"),
    [
        ("a red fox, sat", "red fox", ["red", "fox"]),
        ("red", "red", ["red"]),
        ("a fox and a fox", "fox", ["fox", "fox"]),
        ("the cat's hat", "cat", ["cat"]),
        ("a (red fox:1.2) sat", "red fox", ["red", "fox"]),
    ],
)
def test_tokens_between_the_prefixes(prompt: str, text: str, expected: list[Any]) -> None:
    assert spelt(prompt, text) == expected


@pytest.mark.parametrize(
    "prompt", ["(red fox:1.2) sat", "a (red fox) (b)", "a (b (red fox:2):0.5)", r"\( (red fox:1.3)"]
)
def test_groups_of_weights_are_closed_again(prompt: str) -> None:
    assert spelt(prompt, "red fox", tokenise=weighted, weights=True) == ["red", "fox"]


def test_a_word_of_another_layer_inside_is_not_taken() -> None:
    phrases = find_phrases("a red cat hat", [(1, "red cat hat"), (2, "cat")])
    assert region_tokens(phrases, Prefixes("a red cat hat", words, weights=False)) == {
        0: (2, 4), 1: (3,),
    }  # fmt: skip


def test_vectors_are_compared_by_their_numbers() -> None:
    assert spelt("a VEC fox", "fox") == ["fox"]
    assert same_token(VECTOR, VECTOR.clone())
    assert not same_token(VECTOR, 2 * VECTOR)
    assert not same_token(VECTOR, 1)
    assert not same_token(None, 1)


def test_a_space_before_a_vector_is_not_of_its_layer() -> None:
    def spaced(text: str) -> list[Any]:
        parts = re.findall(r"embedding:\w+|\s(?!embedding:)\w+|\w+|\s", text)
        return [VECTOR if part.startswith("embedding:") else part for part in parts]

    prefixes = Prefixes("a embedding:fur fox", spaced, weights=False)
    assert [type(prefixes.whole[n]) for n in prefixes.tokens((2, 15))] == [torch.Tensor]


def test_a_token_that_reaches_over_the_edge_is_refused() -> None:
    with pytest.raises(UnclearBorderError) as error:
        spelt("a red fox! sat", "fox")
    assert error.value.span == (6, 9)


def test_a_parenthesis_that_is_a_word_may_share_the_first_token() -> None:
    def sticky(text: str) -> list[Any]:
        return ["<user>", *re.findall(r"\(?\w+|[^\w\s]", text), "<end>"]

    assert spelt("a (red fox:1.2)", "red fox", tokenise=sticky) == ["(red", "fox"]


def test_words_behind_the_last_token_are_refused() -> None:
    def short(text: str) -> list[Any]:
        return words(text, keep=4)

    assert spelt("a red fox sat", "red", tokenise=short) == ["red"]
    with pytest.raises(CutOffError):
        spelt("a red old fox sat", "fox", tokenise=short)


def quoting(text: str) -> list[Any]:
    """Like `words`, but text in quotation marks is letters."""
    parts = re.split(r'("[^"]*")', text)
    return [t for part in parts for t in (list(part) if part[:1] == '"' else words(part)[1:-1])]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a fox! runs", "space"),  # the sign sticks to the word
        ('a sign "fox" here', "quotes"),
        ('it says "a red fox runs" there', "quotes"),
        ("the \u2019tis fox! and", "space"),
    ],
)
def test_a_remedy_is_one_that_helps(prompt: str, expected: str) -> None:
    prefixes = Prefixes(prompt, quoting, weights=False)
    with pytest.raises(UnclearBorderError) as error:
        region_tokens(find_phrases(prompt, [(1, "fox")]), prefixes)
    assert remedy(prefixes, error.value.span) == expected


def test_there_may_be_no_remedy() -> None:
    """A tokenizer whose first token depends on all that follows."""
    prefixes = Prefixes("a fox", lambda text: [hash(text), *words(text)], weights=False)
    assert remedy(prefixes, (2, 5)) == ""
