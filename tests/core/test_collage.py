"""Layers and collages refuse what makes no picture, and a stack is built from its inputs."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from collage_core.collage.layer import Embedding
from collage_core.collage.limits import LAYER_RANGES, MAX_LAYERS
from collage_core.collage.stack import new_canvas
from collage_core.imaging.colour import GREY

from .small_collage import collage, layer, message


@pytest.mark.parametrize("name", LAYER_RANGES)
@pytest.mark.parametrize("beyond", [-1, 1, math.nan, math.inf])
def test_a_layer_refuses_values_out_of_range(name: str, beyond: float):
    low, high = LAYER_RANGES[name]
    fitting: list[dict[str, Any]] = [{name: low}, {name: high}]
    assert [getattr(layer(**settings), name) for settings in fitting] == [low, high]
    value = {-1.0: low - 0.001, 1.0: high + 0.001}.get(beyond, beyond)
    said = message(layer, **{name: value})
    assert f'CollageLayer "bear", input {name}: ' in said
    assert f"is outside {low:g} to {high:g}" in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("embedding:a " * 20000, "has 240000 characters. Use at most 10000."),
        ("(" * 5000, "has more than 100 parentheses inside each other."),
        ("embedding: ", 'has an "embedding:" without a name.'),
    ],
)
def test_a_text_is_held_to_what_a_prompt_can_hold(text: str, problem: str):
    said = message(layer, text)
    assert said.startswith("CollageLayer, input text: ")
    assert problem in said
    assert len(said) < 300


def test_a_layer_names_all_its_bad_values_at_once():
    said = message(layer, noise=1.5, scale=0.0)
    assert "input noise: 1.5 is" in said
    assert "input scale: 0 is" in said


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_layer_needs_words(text: str):
    assert "CollageLayer, input text: " in message(layer, text)


def test_messages_quote_at_most_120_characters_and_no_control_characters():
    said = message(layer, "be\x1bar\u202e\n" + "x" * 5000, noise=2.0)
    assert all(escape in said for escape in ("\\x1b", "\\u202e", "\\n"))
    assert said.isprintable()
    assert len(said) < 300


@pytest.mark.parametrize("name", ["", "a b", "a<b", "a,b", "x" * 65, "a:b"])
def test_an_embedding_name_must_survive_a_prompt(name: str):
    assert "embedding name" in message(Embedding, name=name, vectors={})


def test_layers_and_collages_print_without_their_pixels():
    learned = Embedding(name="x", vectors={"l": torch.zeros(1)})
    assert "tensor" not in repr(collage(layer(embedding=learned)))


@pytest.mark.parametrize("size", [513, 7, 0, -8])
def test_a_canvas_is_made_of_whole_latent_cells(size: int):
    nearest = {513: "512 or 520", 7: "8 or 16", 0: "8 or 16", -8: "8 or 16"}[size]
    assert f"input width: {size} is not a multiple of 8. Use {nearest}" in message(
        collage, layer(), width=size
    )
    assert f"input height: {size}" in message(new_canvas, 64, size, GREY)


def test_a_stack_holds_64_layers():
    many = [layer()] * MAX_LAYERS
    assert len(collage(*many).layers) == 64
    assert "65 layers are more than the 64" in message(collage, *many, layer())


def test_batches_that_do_not_agree_are_all_listed():
    said = message(
        collage, layer(batch=4), layer("hat"), layer("box", batch=3), layer(batch=9, visible=False)
    )
    assert 'layer 1 "bear" has 4, layer 2 "hat" has 1, layer 3 "box" has 3' in said
    assert "the background has 1" in said
    assert "9" not in said


def test_the_background_counts_as_a_batch():
    assert "the background has 2" in message(
        collage, layer(batch=3), background=torch.zeros(2, 16, 24, 3)
    )
    one = collage(layer(), background=torch.zeros(2, 16, 24, 3))
    assert one.composite.image.shape == (2, 16, 24, 3)
    assert one.composite.visible_alpha.shape == (2, 1, 16, 24)


def test_a_prompt_is_checked_with_the_collage():
    assert "without a name" in message(collage, layer(), prompt="a bear, embedding: ")


def test_hidden_layers_take_no_part_and_keep_their_number():
    hidden = layer("missing", visible=False)
    one = collage(layer(), hidden, layer("hat"), prompt="bear hat")
    assert [number for number, _ in one.numbered] == [1, 3]
    assert one.composite.visible_alpha.shape == (1, 2, 16, 24)
    assert [region.layers for region in one.phrases.regions] == [(0,), (1,)]
    said = message(lambda: collage(hidden, layer("fox")).phrases)
    assert 'layer 2 "fox"' in said


def test_the_composite_is_made_once():
    one = collage(layer())
    assert one.composite is one.composite


def test_learned_words_of_shown_layers_go_into_the_prompt():
    learned = Embedding(name="b1", vectors={})
    one = collage(
        layer("hat", visible=False, embedding=Embedding(name="no", vectors={})),
        layer("bear", embedding=learned),
        layer("hat"),
        prompt="hat, bear",
    )
    assert one.learned_phrases.prompt == "hat, embedding:b1 bear"
    assert one.prompt == "hat, bear"
