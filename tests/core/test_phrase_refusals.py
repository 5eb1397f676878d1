"""Layers whose words are not in the prompt: what is said, and how soon."""

from __future__ import annotations

import contextlib
import time
from itertools import islice, product

import pytest

from collage_core.errors import CollageError
from collage_core.prompt.checks import LONGEST_PROMPT
from collage_core.prompt.phrases import Phrases, find_phrases


def find(prompt: str, *texts: str) -> Phrases:
    return find_phrases(prompt, list(enumerate(texts, 1)))


def refused(prompt: str, *texts: str) -> str:
    with pytest.raises(CollageError) as error:
        find(prompt, *texts)
    return str(error.value)


def test_all_bad_layers_are_named_at_once_with_the_nearest_words():
    message = refused("a toy box with a teddy", "teddy bear", "a toy", "footbal", "box")
    assert 'layer 1 "teddy bear", input text: does not stand in the prompt; nearest: ' in message
    assert '"a teddy"' in message or '"teddy"' in message
    assert 'layer 3 "footbal"' in message
    assert 'layer 2 "' not in message
    assert 'layer 4 "' not in message
    assert 'The prompt is "a toy box with a teddy"' in message


def test_phrases_that_cross_are_refused_with_both_spans():
    message = refused("a red bear hat", "red bear", "bear hat")
    assert 'layer 2 "bear hat"' in message
    assert '"red bear" at characters 3 to 10' in message
    assert "at characters 7 to 14" in message


def test_phrases_without_words_are_refused():
    assert 'layer 1 "()", input text: has no words' in refused("a bear", "()")
    assert 'layer 1 "a b"' in refused("a b", "a b", "a", "b")


def worded(count: int) -> list[str]:
    """Different words of five letters that look alike."""
    return ["".join(letters) for letters in islice(product("abcdef", repeat=5), count)]


HOSTILE = {
    "near misses": ["ababab abc"] * 60,
    "long near misses": [" ".join(worded(900)[i:]) + "x" for i in range(60)],
    "one letter": ["a " * (i + 1) for i in range(60)],
    "one letter and another": ["a " * (i + 1) + "b" for i in range(60)],
    "embeddings": ["embedding:a " * (i + 1) for i in range(60)],
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("prompt", [" ".join(worded(1600)), "a " * 4999, "embedding:a " * 800])
def test_no_layers_and_no_prompt_keep_anyone_waiting(kind: str, prompt: str):
    """The longest prompt with 60 layers, in processor time: it took minutes."""
    assert len(prompt) <= LONGEST_PROMPT
    started = time.process_time()
    with contextlib.suppress(CollageError):
        find(prompt, *HOSTILE[kind])
    assert time.process_time() - started < 8


def test_a_long_phrase_is_told_what_it_nearly_is():
    text = "a very large wooden bento box with many small compartments"
    said = refused(f"here is {text} full of rice", text.replace("wooden", "woden"))
    assert 'nearest: "a very large wooden bento box' in said


def test_signs_of_other_programs_in_a_text_are_named():
    said = refused("a bear", "bear <lora:fur:1>")
    assert '"<lora:fur:1>" has no meaning in ComfyUI: load the file with a Load LoRA node.' in said
