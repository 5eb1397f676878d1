"""Prompts and embeddings whose tokens cannot be placed, refused by name."""

from __future__ import annotations

import re

import pytest

KINDS = ("SD1", "SD2", "SDXL")


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


def positions(bound) -> dict[int, tuple[int, ...]]:
    return {number: region.tokens for number, region in enumerate(bound.regions)}


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
