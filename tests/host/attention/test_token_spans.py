"""Which tokens of the host's text encoders belong to the words of which layer."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

KINDS = ("SD1", "SD2", "SDXL")
FRAGMENTS = [
    *("salmon sushi", "Sushi", "SALMON", "cat", "'s", "café", "猫", "1", "_", "!", "!!", ",", "-"),
    *(" ", " ", "  ", "\n", "(", ")", ":1.3)", "\\(", "\\)", "embedding:v2 ", " embedding:v8, "),
]
LAYER = st.tuples(
    st.sampled_from(["sushi", "salmon sushi", "salmon", "cat", "cat!", "café", "猫", "1"]),
    st.sampled_from([None, "v1", "v7", "v16"]),
    st.sampled_from(["{}", " {} ", "({}:1.2)", "(({}))"]),
    st.integers(0, 12),
)


def positions(bound) -> dict[int, tuple[int, ...]]:
    return {number: region.tokens for number, region in enumerate(bound.regions)}


@pytest.mark.parametrize("kind", KINDS)
@given(
    filler=st.integers(0, 160),
    fragments=st.lists(st.sampled_from(FRAGMENTS), max_size=12),
    layers=st.lists(LAYER, min_size=1, max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_tokens_of_any_prompt_are_those_of_its_phrases(
    pack, kit, clips, bind, kind, filler, fragments, layers
):
    texts, names, writings, places = zip(*layers, strict=True)
    for text, writing, place in zip(texts, writings, places, strict=True):
        fragments.insert(place, writing.format(text))
    prompt = "so " * filler + "".join(fragments)
    try:
        phrases, bound = bind(prompt, *texts, kind=kind, names=names)
    except pack.collage_core.errors.CollageError as error:
        event(str(error)[:40])
        return  # a phrase crosses another, or its border is none to the encoder
    event("bound")
    spans = pack.collage_core.prompt.syntax.read_prompt(phrases.prompt).literals
    expected = kit.expected_places(clips[kind], phrases, spans, kit.VECTORS)
    assert list(expected.values()) == [positions(bound)] * len(expected)
    assert [region.layers for region in bound.regions] == [r.layers for r in phrases.regions]
    assert set(bound.spelling) == {n for region in bound.regions for n in region.tokens}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("a salmon sushi, rice", "salmon sushi"),
        ("a Salmon  \n SUSHI.", "salmon sushi"),
        ("(salmon sushi:1.3)", "salmon sushi"),
        ("a (fresh salmon:1.3) sushi", "salmon sushi"),
        ("a salmon (sushi (bar:1.2):0.8)", "salmon sushi"),
        (r"a \(salmon sushi\) bar", "salmon sushi"),
        ("a (salmon sushi", "salmon sushi"),
        ("a café, dark", "café"),
        ("a cafe\u0301, dark", "café"),
        ("a CAFÉ", "cafe\u0301"),
        ("a 红猫 on a 床", "红猫"),
        ("🍣 plate", "🍣"),
        ("the cat's hat", "cat"),
        ("the cat's hat", "cat's"),
        ("a cat!!", "cat!!"),
        ("cat,dog-cat;", "cat"),
        ("room 12b", "12b"),
    ],
)
def test_bound_tokens_read_back_as_the_phrase(clips, bind, kind, prompt, text):
    phrases, bound = bind(prompt, text, kind=kind)
    for encoder, tokens in clips[kind].words(phrases.prompt).items():
        ids = [tokens[place] for place in bound.regions[0].tokens]
        read = getattr(clips[kind].tokenizer, f"clip_{encoder}").decode(ids)
        times = len(phrases.regions[0].places)
        assert "".join(read.split()) == plain(text) * times


def plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text.lower()).split())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("vectors", [1, 2, 7, 8, 16])
def test_learned_tokens_come_before_their_phrase(bind, kind, vectors):
    _, bound = bind(
        "a salmon sushi, rice", "rice", "salmon sushi", kind=kind, names=(None, f"v{vectors}")
    )
    assert positions(bound) == {1: tuple(range(2, vectors + 4)), 0: (vectors + 5,)}
    learned = dict.fromkeys(range(2, vectors + 2), "learned")
    words = {vectors + 2: "salmon", vectors + 3: "sushi", vectors + 5: "rice"}
    assert bound.spelling == learned | words


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("before", "phrase", "name", "expected"),
    [  # a chunk of 77 has 75 words between its start and its end
        (73, "salmon sushi", None, (74, 75)),
        (74, "salmon sushi", None, (75, 78)),  # a long stretch of words is split
        (75, "salmon sushi", None, (78, 79)),
        (74, "(salmon sushi:1.2)", None, (78, 79)),  # a short one is kept whole
        (74, "salmon sushi", "v7", tuple(range(78, 87))),
        (72, "salmon sushi", "v8", (73, 74, 75, *range(78, 85))),
        (150, "salmon sushi", "v16", tuple(range(155, 173))),
        (0, "salmon sushi", "v90", (*range(1, 76), *range(78, 95))),
    ],
)
def test_places_run_on_through_the_chunks(bind, kind, before, phrase, name, expected):
    prompt = "so " * before + phrase
    _, bound = bind(prompt, "salmon sushi", kind=kind, names=(name,))
    assert positions(bound) == {0: expected}


def test_phrases_that_stand_twice_or_inside_another(bind):
    def found(*args, **how):
        return positions(bind(*args, **how)[1])

    prompt = "a cat, a red cat, a cat"
    assert found(prompt, "cat") == {0: (2, 6, 9)}
    assert found(prompt, "cat", "red cat") == {0: (2, 9), 1: (5, 6)}
    assert found(prompt, "cat", "cat", "cat") == {0: (2,), 1: (6,), 2: (9,)}
    assert found("a red cat hat", "red cat hat", "cat") == {0: (2, 4), 1: (3,)}
    learned = found("a red cat hat", "red cat hat", "cat", names=("v2", "v1"))
    assert learned == {0: (2, 3, 4, 7), 1: (5, 6)}


def test_a_weighted_embedding_in_the_prompt_is_counted(bind):
    prompt = "(embedding:v2:1.3) a (cat)embedding:v7 , embedding:v1, dog"
    assert positions(bind(prompt, "cat", "dog")[1]) == {0: (4,), 1: (15,)}


def test_tokens_are_told_as_they_read(bind):
    assert bind("a café 猫", "café 猫")[1].spelling == {
        2: "café",
        **dict.fromkeys((3, 4, 5), "\ufffd"),  # a byte of the character each
    }


def test_nothing_is_bound_without_layers(bind):
    phrases, bound = bind("a cat")
    assert (phrases.regions, bound.regions, bound.spelling) == ((), (), {})
