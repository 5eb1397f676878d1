"""Where `embedding:NAME` of a layer goes in the prompt."""

from __future__ import annotations

import pytest

from collage_core.prompt.insertion import insert_embeddings
from collage_core.prompt.phrases import Phrases, find_phrases


def found(phrases: Phrases) -> list[tuple[tuple[int, ...], list[list[str]]]]:
    """Per region its layers and, per place, the words that belong to it."""
    return [
        (region.layers, [[phrases.prompt[a:b] for a, b in place.words] for place in region.places])
        for region in phrases.regions
    ]


def insert(prompt: str, *layers: tuple[str, str | None]) -> Phrases:
    return insert_embeddings(
        find_phrases(prompt, [(n, text) for n, (text, _) in enumerate(layers, 1)]),
        [name for _, name in layers],
    )


@pytest.mark.parametrize(
    ("prompt", "layers", "expected"),
    [
        ("a cake", [("cake", None)], "a cake"),
        ("a cake", [("cake", "x")], "a embedding:x cake"),
        ("cake", [("cake", "x")], "embedding:x cake"),
        ("a (cake:1.3)", [("cake", "x")], "a ( embedding:x cake:1.3)"),
        ("a (red:1.2) cake", [("red cake", "x")], "a ( embedding:x red:1.2) cake"),
        (r"a \(cake\)", [("cake", "x")], r"a \( embedding:x cake\)"),
        ("pie,cake", [("cake", "x")], "pie, embedding:x cake"),
        ("cake cake", [("cake", "x")], "embedding:x cake embedding:x cake"),
        ("cake cake", [("cake", "x"), ("cake", "y")], "embedding:x cake embedding:y cake"),
        ("cakes", [("cakes", "x"), ("cakes", None), ("cakes", "y"), ("cakes", "x")],
         "embedding:x embedding:y cakes"),
        ("red hat", [("hat", "x"), ("red hat", "y")], "embedding:y red embedding:x hat"),
        ("red hat", [("red", "x"), ("red hat", "y")], "embedding:y embedding:x red hat"),
    ],
)  # fmt: skip
def test_learned_tokens_stand_before_their_words(
    prompt: str, layers: list[tuple[str, str | None]], expected: str
):
    assert insert(prompt, *layers).prompt == expected


def test_the_learned_token_is_the_first_word_of_its_place():
    learned = insert("a red hat and\ta cake", ("red hat", "y"), ("hat", None), ("cake", "x"))
    assert found(learned) == [
        ((0,), [["embedding:y", "red"]]),
        ((1,), [["hat"]]),
        ((2,), [["embedding:x", "cake"]]),
    ]
    spans = [learned.of_layer(i).places[0] for i in range(3)]
    texts = [learned.prompt[place.start : place.end] for place in spans]
    assert texts == ["embedding:y red hat", "hat", "embedding:x cake"]


def test_a_token_directly_after_a_place_is_not_part_of_it():
    learned = insert("红熊", ("红", None), ("熊", "x"))
    assert learned.prompt == "红 embedding:x 熊"
    first = learned.of_layer(0).places[0]
    assert (first.start, first.end) == (0, 1)


@pytest.mark.parametrize(
    "prompt",
    [
        "embedding:sushi sushi",
        "(embedding:sushi:1.3) sushi",
        "a embedding:my_sushi, sushi",
        "embedding:sushi,sushi sushi",
    ],
)
def test_the_name_of_an_embedding_is_not_a_phrase(prompt: str):
    (region,) = find_phrases(prompt, [(1, "sushi")]).regions
    (place,) = region.places
    assert (place.start, place.end) == (len(prompt) - 5, len(prompt))
