"""Other words for a layer, in its text and everywhere in the prompt where they are its own."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Embedding, Layer
from collage_core.editing.rephrase import rephrase
from collage_core.errors import CollageError


def layer(text: str, **settings: Any) -> Layer:
    return Layer(image=torch.zeros(1, 4, 4, 3), alpha=torch.ones(1, 4, 4), text=text, **settings)


def collage(prompt: str, *layers: Layer) -> Collage:
    background = torch.zeros(1, 16, 16, 3)
    return Collage(width=16, height=16, prompt=prompt, background=background, layers=layers)


def refused(one: Collage, number: int, phrase: str) -> str:
    with pytest.raises(CollageError) as error:
        rephrase(one, number, phrase, "CollageX")
    return str(error.value)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a salmon sushi and rice", "a tuna roll and rice"),
        ("rice, (Salmon  sushi:1.3)", "rice, (tuna roll:1.3)"),
        ("(salmon) (sushi) on rice", "(tuna roll) on rice"),
        ("salmon sushi by rice by salmon sushi", "tuna roll by rice by tuna roll"),
    ],
)
def test_the_words_change_in_all_their_places(prompt: str, expected: str):
    one = collage(prompt, layer("rice"), layer("hidden", visible=False), layer("salmon sushi"))
    changed = rephrase(one, 3, "tuna roll", "CollageX")
    assert changed.prompt == expected
    assert [layer.text for layer in changed.layers] == ["rice", "hidden", "tuna roll"]
    assert [layer.text for layer in one.layers][2] == "salmon sushi"


def test_of_two_layers_with_the_same_words_one_place_changes():
    one = collage("a cake by a cake", layer("cake"), layer("cake"))
    assert rephrase(one, 2, "pie", "CollageX").prompt == "a cake by a pie"
    assert rephrase(one, 1, "pie", "CollageX").prompt == "a pie by a cake"


def test_a_learned_look_goes_with_its_words():
    learned = Embedding(name="look", vectors={})
    one = collage("a cake and rice", layer("cake", embedding=learned),
                  layer("rice", embedding=learned))  # fmt: skip
    changed = rephrase(one, 1, "pie", "CollageX")
    assert [layer.embedding for layer in changed.layers] == [None, learned]
    assert changed.learned_phrases.prompt == "a pie and embedding:look rice"


def test_words_of_several_layers_are_refused():
    one = collage("two cakes", layer("cakes"), layer("hat", visible=False), layer("cakes"))
    said = refused(one, 1, "pies")
    assert 'CollageX, input phrase: layer 1 "cakes" shares its words with layer 3' in said


def test_words_with_weights_between_them_are_refused():
    one = collage("a (salmon:1.3) sushi", layer("salmon sushi"))
    said = refused(one, 1, "tuna")
    assert 'CollageX, input phrase: the words of layer 1 "salmon sushi" stand as' in said
    assert '"salmon:1.3) sushi"' in said


def test_words_that_other_layers_need_are_refused():
    one = collage("a red bear", layer("red bear"), layer("bear"))
    said = refused(one, 1, "fox")
    assert '"fox" in place of "red bear" makes a prompt that does not fit the layers' in said
    assert 'layer 2 "bear", input text: does not stand in the prompt' in said


@pytest.mark.parametrize("phrase", ["()", "(fox:nan)", "embedding:"])
def test_a_phrase_that_is_no_words_is_refused(phrase: str):
    assert "CollageX, input phrase: " in refused(collage("a bear", layer("bear")), 1, phrase)


def test_a_layer_whose_words_are_not_in_the_prompt_is_refused():
    assert 'layer 1 "bear"' in refused(collage("a fox", layer("bear")), 1, "dog")
