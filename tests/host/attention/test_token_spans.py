"""Which tokens of the host's text encoders belong to the words of which layer."""

from __future__ import annotations

import copy
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

KINDS = ("SD1", "SD2", "SDXL")
SIZES = (1, 2, 7, 8, 16, 90)
VECTORS = {f"v{n}": n for n in SIZES}
SYNTAX = [
    "(",
    ")",
    "\\",
    "\\(",
    "\\)",
    ":",
    ":1.3)",
    ":-.5e1 )",
    ":nan)",
    ":1_0)",
    ":٣)",
    "\0",
    "a",
]
EMBEDDED = ["embedding:", "embedding:v2", "embedding:a[b", " ", "\n", ",", "<x"]
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


@pytest.fixture(scope="session")
def kit(load_module):
    return load_module(Path(__file__).with_name("token_fixtures.py"))


@pytest.fixture(scope="session")
def clips(kit, tmp_path_factory):
    """A text encoder of every family, with sound and faulty embeddings at hand."""
    folder = tmp_path_factory.mktemp("embeddings")
    for name, count in VECTORS.items():
        kit.write_embedding(folder, name, count)
    kit.write_faulty(folder)
    return {kind: kit.Clip(kind, folder) for kind in (*KINDS, "SD3")}


@pytest.fixture(scope="session")
def bind(pack, clips):
    """Bind the layers' texts in a prompt: its phrases and what was bound."""

    def bind(prompt: str, *texts: str, kind: str = "SD1", names: tuple[str | None, ...] = ()):
        core = pack.collage_core
        phrases = core.prompt.phrases.find_phrases(prompt, list(enumerate(texts, 1)))
        phrases = core.prompt.insertion.insert_embeddings(phrases, names or [None] * len(texts))
        return phrases, pack.nodes.host.attention.token_spans.token_spans(clips[kind], phrases)

    return bind


def positions(bound) -> dict[int, tuple[int, ...]]:
    return {number: region.tokens for number, region in enumerate(bound.regions)}


@pytest.fixture(scope="session")
def refused(pack, bind):
    """The message of a binding that must fail."""

    def refused(prompt: str, *texts: str, **how) -> str:
        with pytest.raises(pack.collage_core.errors.CollageError) as error:
            bind(prompt, *texts, **how)
        message = str(error.value)
        assert re.match("MaskedCrossAttentionPatch, input (clip|collage): .+", message)
        assert re.search(r"[.;] (Put|Connect|connect|Use) [^.]+\.$", message)
        return message

    return refused


@given(st.lists(st.sampled_from(SYNTAX), max_size=25).map("".join))
@settings(max_examples=500, deadline=None)
def test_literal_spans_are_what_comfyui_tokenises(pack, prompt):
    import comfy.sd1_clip

    escaped = comfy.sd1_clip.escape_important(prompt)  # as long as before
    theirs = [text for text, _ in comfy.sd1_clip.token_weights(escaped, 1.0) if text]
    ours = pack.collage_core.prompt.syntax.read_prompt(prompt).literals
    assert [escaped[start:end] for start, end in ours] == theirs


@given(st.lists(st.sampled_from([*SYNTAX, *EMBEDDED]), max_size=20).map("".join))
@settings(max_examples=500, deadline=None)
def test_embeddings_are_read_where_the_host_asks_for_them(pack, clips, prompt):
    from comfy.sd1_clip import escape_important, unescape_important

    words = pack.collage_core.prompt.syntax
    if not all(one.name for one in words.read_prompt(prompt).embeddings):
        return  # the host's reader ends in an IndexError there, and the prompt is refused
    tokenizer, asked = copy.copy(clips["SD1"].tokenizer.clip_l), []

    def note(text: str):
        asked.append(text)
        return None, text, ""

    tokenizer._try_get_embedding = note
    tokenizer.tokenize_with_weights(prompt)
    ours = [
        unescape_important(escape_important(one.name))
        for one in words.read_prompt(prompt).embeddings
    ]
    assert ours == [words.embedding_name(text.lstrip()) for text in asked]


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
    expected = kit.expected_places(clips[kind], phrases, spans, VECTORS)
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
@pytest.mark.parametrize("vectors", SIZES[:-1])
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


def test_a_text_encoder_of_another_family_is_refused(refused):
    assert "input clip: a text encoder of g, l, t5xxl is not" in refused("a cat", "cat", kind="SD3")


@pytest.mark.parametrize(
    ("prompt", "text"), [("a cat!!", "cat!"), ("a cat!!", "cat !"), ("一只红色的猫坐着", "猫")]
)
def test_a_border_that_the_encoder_does_not_see_is_refused(refused, prompt, text):
    message = refused(prompt, text)
    assert f'of the prompt "{prompt}" from the signs next to them' in message
    assert "input collage: the text encoder does not tell the words at characters" in message


def test_words_that_the_host_would_take_for_an_embedding_are_refused(refused):
    message = refused("cat,embedding:v9", "cat,")
    assert 'characters 5 to 16 of the prompt "cat,embedding:v9"' in message
    assert 'Put a space around "embedding:v9".' in message


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere", "was not found for the text encoder"),
        ("empty", "was not found for the text encoder"),
        ("truncated", "was not found for the text encoder"),
        ("no-vectors", "was not found for the text encoder"),
        ("no-tables", "could not be read"),
        ("one-number", "could not be read"),
        ("text", "was not found for the text encoder"),
        ("empty-zip", "could not be read"),
        ("narrow-list", "could not be read"),
        ("no-tensor", "could not be read"),
        ("narrow", "has the shape [2, 5]; the text encoder"),
        ("flat", "has the shape [1, 5]; the text encoder"),
        ("deep", "has the shape [2, 3, 768]; the text encoder"),
        ("nan", "holds a vector of NaN, infinity or nothing but zeros"),
        ("infinite", "holds a vector of NaN, infinity or nothing but zeros"),
        ("one-zero-row", "holds a vector of NaN, infinity or nothing but zeros"),
    ],
)
def test_an_embedding_that_cannot_be_used_is_refused(refused, kind, name, reason):
    for prompt in (f"a cat, embedding:{name}", f"a (cat)embedding:{name} mat"):
        message = refused(prompt, "cat", kind=kind)
        assert f'input collage: "embedding:{name}" in the prompt {reason}' in message


def test_an_embedding_of_another_model_is_refused(bind, refused):
    assert positions(bind("cat", "cat", names=("sd1",))[1]) == {0: (1, 2, 3)}
    message = refused("cat", "cat", names=("sd1",), kind="SDXL")
    assert "has the shape [2, 768]; the text encoder g needs 1280 numbers a vector" in message


def test_encoders_that_split_the_prompt_differently_are_refused(bind, refused):
    message = refused("a cat", "cat", names=("uneven",), kind="SDXL")
    assert 'input clip: the two text encoders split the prompt "a embedding:uneven cat"' in message
    assert positions(bind("a cat", "cat", names=("uneven",))[1]) == {0: (2, 3, 4)}


def test_nothing_is_bound_without_layers(bind):
    phrases, bound = bind("a cat")
    assert (phrases.regions, bound.regions, bound.spelling) == ((), (), {})
