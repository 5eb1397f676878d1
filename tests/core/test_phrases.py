"""Which words of a prompt belong to which layer, and where learned tokens go."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collage_core.errors import CollageError
from collage_core.prompt.insertion import insert_embeddings
from collage_core.prompt.phrases import Phrases, find_phrases


def find(prompt: str, *texts: str) -> Phrases:
    return find_phrases(prompt, list(enumerate(texts, 1)))


def found(phrases: Phrases) -> list[tuple[tuple[int, ...], list[list[str]]]]:
    """Per region its layers and, per place, the words that belong to it."""
    return [
        (region.layers, [[phrases.prompt[a:b] for a, b in place.words] for place in region.places])
        for region in phrases.regions
    ]


def refused(prompt: str, *texts: str) -> str:
    with pytest.raises(CollageError) as error:
        find(prompt, *texts)
    return str(error.value)


def test_every_phrase_is_found_where_it_stands():
    phrases = find("a bento box with salmon sushi, rice", "rice", "bento box", "salmon sushi")
    assert found(phrases) == [
        ((0,), [["rice"]]),
        ((1,), [["bento", "box"]]),
        ((2,), [["salmon", "sushi"]]),
    ]
    place = phrases.of_layer(1).places[0]
    assert (place.start, place.end) == (2, 11)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("a Teddy BEAR", "teddy bear"),
        ("a teddy \n\t bear", " teddy  bear "),
        ("a (teddy bear:1.3)", "teddy bear"),
        ("a ((teddy) bear)", "teddy bear"),
        ("a (fluffy teddy:1.2) bear", "teddy bear"),
        ("a (teddy bear : -.5e-1 )", "teddy bear"),
        (r"a teddy \(bear\)", "teddy bear"),
        ("a (teddy bear", "teddy bear"),
        ("a teddy bear's nose", "teddy bear"),
        ("(teddy bear:1.3)", "(teddy bear:1.3)"),
    ],
)
def test_case_space_and_weights_do_not_matter(prompt: str, text: str):
    ((layers, [words]),) = found(find(prompt, text))
    assert layers == (0,)
    assert [word.lower() for word in words] == ["teddy", "bear"]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("a teddybear", "bear"),
        ("bears", "bear"),
        ("bear_cub", "bear"),
        ("teddy, bear", "teddy bear"),
        ("teddy-bear", "teddy bear"),
        ("\uff42\uff45\uff41\uff52", "bear"),  # full-width letters are other tokens
        ("क", "कि"),
        ("कि", "क"),
        ("👩\u200d🍳", "👩"),
        ("👩\u200d🍳", "🍳"),
    ],
)
def test_only_whole_and_neighbouring_words_match(prompt: str, text: str):
    assert f'layer 1 "{text}", input text: does not stand' in refused(prompt, text)


@pytest.mark.parametrize("text", ["crème brûlée", "ガ", "각", "一只", "ΐ"])
@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_combining_accents_are_the_same(text: str, forms: tuple[Any, Any]):
    prompt = unicodedata.normalize(forms[0], f"ein {text} x")
    place = find(prompt, unicodedata.normalize(forms[1], text)).regions[0].places[0]
    assert unicodedata.normalize("NFC", prompt[place.start : place.end]) == text


def test_scripts_without_spaces_match_inside_a_line():
    assert found(find("一只红色的熊", "熊", "红色")) == [((0,), [["熊"]]), ((1,), [["红", "色"]])]


def test_longer_phrases_come_first():
    phrases = find("a red bear and a bear", "bear", "red bear")
    assert [place.start for place in phrases.of_layer(0).places] == [17]
    assert [place.start for place in phrases.of_layer(1).places] == [2]


def test_a_phrase_inside_a_longer_one_takes_its_words_out_of_it():
    phrases = find("bear with red hat", "bear with red hat", "red hat")
    assert found(phrases) == [((0,), [["bear", "with"]]), ((1,), [["red", "hat"]])]


def test_a_phrase_that_stands_twice_belongs_to_its_layer_each_time():
    assert found(find("cake, more cake", "cake")) == [((0,), [["cake"], ["cake"]])]


def test_places_of_a_phrase_do_not_overlap():
    assert found(find("ha ha ha", "ha ha")) == [((0,), [["ha", "ha"]])]


def test_layers_with_one_phrase_take_its_places_in_order():
    phrases = find("a cake and a cake", "Cake", "cake")
    assert [place.start for place in phrases.of_layer(0).places] == [2]
    assert [place.start for place in phrases.of_layer(1).places] == [13]


@pytest.mark.parametrize(
    ("prompt", "layers", "places"), [("two cakes", 2, 1), ("cakes cakes", 3, 2)]
)
def test_layers_share_words_that_do_not_go_round(prompt: str, layers: int, places: int):
    (region,) = find(prompt, *["cakes"] * layers).regions
    assert region.layers == tuple(range(layers))
    assert len(region.places) == places


NAMES = ["red", "bear", "Hat", "box", "cake", "école", "雪"]
phrase = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(" ".join)
filler = st.sampled_from([" ", ", ", " with (a:1.2) ", " ( ", " \\( ", "\n", " and the ", "; "])


Scene = tuple[str, list[str], list[tuple[int, int]]]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """A prompt of different phrases with filler between, and where each was put."""
    texts = draw(
        st.lists(phrase, min_size=1, max_size=5, unique_by=lambda text: text.casefold()).filter(
            lambda texts: not any(a != b and a in b for a in texts for b in texts)
        )
    )
    prompt, spans = draw(filler), []
    for text in texts:
        upper = text.upper() if draw(st.booleans()) else text
        spans.append((len(prompt), len(prompt) + len(upper)))
        prompt += upper + draw(filler.filter(lambda f: f.strip()))
    return prompt, texts, spans


@given(scenes())
@settings(deadline=None, derandomize=True, max_examples=50)
def test_phrases_are_found_where_they_were_put(scene: Scene):
    prompt, texts, spans = scene
    phrases = find(prompt, *texts)
    for index, span in enumerate(spans):
        assert [(p.start, p.end) for p in phrases.of_layer(index).places] == [span]


@given(scenes(), st.data())
@settings(deadline=None, derandomize=True, max_examples=50)
def test_inserting_changes_nothing_but_the_tokens(scene: Scene, data: st.DataObject):
    prompt, texts, _ = scene
    names = [data.draw(st.sampled_from([None, f"e{i}"])) for i in range(len(texts))]
    before = find(prompt, *texts)
    after = insert_embeddings(before, names)
    for old, new, name in zip(before.regions, after.regions, names, strict=True):
        words = [prompt[a:b] for a, b in old.places[0].words]
        token = [f"embedding:{name}"] if name else []
        assert [after.prompt[a:b] for a, b in new.places[0].words] == token + words
    text = after.prompt
    for index in range(len(text)):
        if text.startswith("embedding:", index):
            assert index == 0 or text[index - 1].isspace()
    for name in filter(None, names):
        text = text.replace(f"embedding:{name} ", "")
    assert "".join(text.split()) == "".join(prompt.split())


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=8), max_size=3))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_no_text_breaks_the_search(prompt: str, texts: list[str]):
    try:
        phrases = find(prompt, *texts)
    except CollageError:
        return
    owned = [w for r in phrases.regions for place in r.places for w in place.words]
    assert len(owned) == len(set(owned))
    assert sorted(i for r in phrases.regions for i in r.layers) == list(range(len(texts)))


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=20))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_spelling_forms_of_any_text_match(text: str):
    composed, apart = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    try:
        find(composed, composed)
    except CollageError:
        return  # no words in it
    assert found(find(apart, composed))
