"""How a prompt is cut into pieces that belong to layers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collage_core.errors import CollageError
from collage_core.prompt.phrases import find_phrases
from collage_core.prompt.pieces import Piece, named_embeddings, prompt_pieces, region_positions

FRAGMENTS = ["cat", "red cat", "red", "'s", "!", ",", " ", "\n", "(", ")", ":1.3)", "\\(", "\\)"]


def cut(prompt: str, *texts: str) -> list[tuple[str, int | None]]:
    pieces = prompt_pieces(find_phrases(prompt, list(enumerate(texts, 1))))
    return [(piece.text, piece.region) for piece in pieces]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("red cat", [("red cat", 0)]),
        ("a red  cat, sat", [("a ", None), ("red  cat", 0), (", sat", None)]),
        ("a (red cat:1.3) sat", [("a ", None), ("red cat", 0), (" sat", None)]),
        ("(a red cat:1.3)", [("a ", None), ("red cat", 0)]),
        ("a (red:1.3) cat", [("a ", None), ("red", 0), (" ", None), ("cat", 0)]),
        ("(a red:1.3) cat", [("a ", None), ("red", 0), (" ", None), ("cat", 0)]),
        ("red cat's", [("red cat", 0), ("'s", None)]),
        ("red cat red cat", [("red cat", 0), (" ", None), ("red cat", 0)]),
        (r"\(red cat\)", [(r"\(", None), ("red cat", 0), (r"\)", None)]),
        ("red cat (", [("red cat", 0), (" ", None), (r"\(", None)]),
        (")red cat", [(r"\)", None), ("red cat", 0)]),
    ],
)
def test_a_piece_is_words_of_one_layer_or_of_none(
    prompt: str, expected: list[tuple[str, int | None]]
):
    assert cut(prompt, "red cat") == expected


def test_a_nested_phrase_is_cut_out_of_the_longer_one():
    assert cut("big red cat nap", "big red cat nap", "red cat") == [
        ("big", 0),
        (" ", None),
        ("red cat", 1),
        (" ", None),
        ("nap", 0),
    ]


def test_layers_that_share_a_phrase_share_its_pieces():
    assert cut("two cats and a dog", "cats", "dog", "cats") == [
        ("two ", None),
        ("cats", 0),
        (" and a ", None),
        ("dog", 1),
    ]


@settings(deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_pieces_hold_the_words_of_their_layers_and_nothing_else(prompt: str):
    try:
        phrases = find_phrases(prompt, [(1, "red cat"), (2, "cat")])
    except CollageError:
        return  # one of them is missing
    pieces = prompt_pieces(phrases)
    edges = [edge for piece in pieces for edge in piece.span]
    assert edges == sorted(edges)
    for number, region in enumerate(phrases.regions):
        held = "".join(prompt[slice(*piece.span)] for piece in pieces if piece.region == number)
        words = "".join(prompt[a:b] for place in region.places for a, b in place.words)
        assert "".join(held.split()) == "".join(words.split())


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("embedding:x cat", ["x"]),
        ("a embedding:x, embedding:y-2.pt", ["x", "y-2.pt"]),
        ("(embedding:x:1.3)", ["x"]),
        ("(a (embedding:x cat):0.5)", ["x"]),
        ("(cat)embedding:x", ["x"]),
        ("embedding: x", ["x"]),
        ("embedding:, cat", [","]),
        (r"a embedding:x\(1\)", [r"x\(1\)"]),
        ("embedding:x)", [r"x\)"]),
        ("a,embedding:x", []),
        (r"\(embedding:x", []),
        ("Embedding:x", []),
    ],
)
def test_embeddings_are_named_where_comfyui_reads_them(prompt: str, expected: list[str]):
    assert named_embeddings(prompt) == expected


def test_positions_are_dealt_out_in_the_order_of_the_pieces():
    groups = (None, 1, None, 0, 1)
    pieces = [Piece("", region, (0, 0)) for region in groups]
    positions = [1, 2, 3, 4, 75, 78, 79]
    assert region_positions(pieces, [1, 2, 0, 1, 3], positions) == {1: (2, 3, 75, 78, 79), 0: (4,)}
