"""Naming layers by number or text, and what is said when that does not work."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer
from collage_core.collage.layer_names import chosen_layers, layer_name
from collage_core.errors import CollageError


def layer(text: str, **settings: Any) -> Layer:
    return Layer(image=torch.zeros(1, 4, 4, 3), alpha=torch.ones(1, 4, 4), text=text, **settings)


def collage(*layers: Layer) -> Collage:
    background = torch.zeros(1, 16, 64, 3)
    return Collage(width=64, height=16, prompt="", background=background, layers=layers)


@pytest.fixture
def table() -> Collage:
    """1 Red Cup, 2 cake, 3 cake (hidden), 4 "a plate, round", 5 jug (hidden), 6 and 7 egg."""
    texts = ["Red Cup", "cake", "cake", "a plate, round", "jug", "egg", "egg"]
    layers = [
        layer(text, x=(8 * n + 4) / 64, visible=n not in (2, 4)) for n, text in enumerate(texts)
    ]
    return collage(*layers)


@pytest.mark.parametrize(
    ("wish", "numbers"),
    [
        ("1", (1,)),
        (" 4 , 1,", (1, 4)),
        ("red  cup", (1,)),
        ("cake", (2,)),  # the one that is shown
        ("A plate,  round", (4,)),
        ("2\na plate, round\n red cup, 6", (1, 2, 4, 6)),
        ("1, Red Cup, 1", (1,)),
        ("0", (0,)),
        ("Background, 1", (0, 1)),
        ("1; 2", (1, 2)),
        ("1\uff0cred cup\uff1b2\u3001\uff10", (0, 1, 2)),
        ("a plate\uff0c round", (4,)),
        ("\uff12", (2,)),
    ],
)
def test_layers_are_named_by_number_or_text(table: Collage, wish: str, numbers: tuple[int, ...]):
    assert chosen_layers(table, wish, "CollageX") == numbers


def test_a_text_with_full_width_signs_is_named_with_either():
    chinese = collage(layer("猫\uff0c狗", x=4 / 64), layer("a; b", x=12 / 64))
    for wish in ("猫\uff0c狗", "猫,狗", "猫, 狗\na; b", "猫\uff0c狗\na\uff1bb, 1"):
        assert chosen_layers(chinese, wish, "CollageX")[0] == 1


def refused(collage: Collage, wish: str) -> str:
    with pytest.raises(CollageError) as error:
        chosen_layers(collage, wish, "CollageX")
    return str(error.value)


@pytest.mark.parametrize("wish", ["", " \n", " , ,"])
def test_naming_nothing_is_refused_with_the_layers(table: Collage, wish: str):
    said = refused(table, wish)
    assert said.startswith("CollageX, input layers: ")
    assert 'names no layer. Write numbers or texts: 0 the background, 1 "Red Cup", ' in said
    assert '5 "jug" (hidden)' in said


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("8", '"8" is no layer.'),
        ("-1", '"-1" is no layer.'),
        ("9" * 5000, "is no layer"),
        ("red cap", '"red cap" is no layer, the nearest is "Red Cup"'),
        ("fox", '"fox" is no layer. Write numbers or texts: 0 the'),
        ("egg", '"egg" is the text of layers 6, 7: write the number of the one you mean'),
        ("5", 'layer 5 "jug" is hidden: switch `visible` on in its CollageLayer'),
        ("jug", 'layer 5 "jug" is hidden'),
        ("3", 'layer 3 "cake" is hidden'),
    ],
)
def test_names_that_are_no_layer_are_refused(table: Collage, wish: str, said: str):
    assert said in refused(table, wish)


def test_all_problems_are_in_one_message(table: Collage):
    said = refused(table, "1, fox, egg, 5, fox")
    assert all(part in said for part in ('"fox"', '"egg"', '"jug" is hidden'))
    assert said.count('"fox" is no layer') == 1


def test_what_cannot_be_seen_cannot_be_redrawn():
    covered = collage(layer("cup", scale=20.0), layer("cake", scale=20.0))
    assert 'nothing of layer 1 "cup" can be seen' in refused(covered, "1")
    assert "nothing of the background can be seen" in refused(covered, "0")
    assert chosen_layers(covered, "2", "CollageX") == (2,)


def test_a_layer_called_background_is_that_layer():
    one = collage(layer("background"))
    assert chosen_layers(one, "background", "CollageX") == (1,)
    assert chosen_layers(one, "0", "CollageX") == (0,)


def test_a_text_that_is_a_number_beyond_the_layers_is_a_text():
    assert chosen_layers(collage(layer("2"), layer("1984", x=0.2)), "1984, 2", "CollageX") == (2,)


def test_hidden_layers_with_the_same_text_are_hidden():
    twins = collage(*(layer("egg", visible=False) for _ in range(2)))
    assert 'layer 1 "egg" is hidden' in refused(twins, "egg")


def test_layers_have_names():
    one = collage(layer("cup"))
    assert [layer_name(one, n) for n in (0, 1)] == ["the background", 'layer 1 "cup"']


def test_very_many_names_are_refused_at_once_and_briefly():
    many = collage(*(layer(f"thing {i} " * 20) for i in range(60)))
    started = time.process_time()
    said = refused(many, ",".join(f"x{i}" for i in range(1500)))
    assert '"x7" is no layer; and so on. Write numbers or texts' in said
    assert '"x8"' not in said
    assert refused(many, "x," * 5000).count('"x" is no layer') == 1
    assert time.process_time() - started < 5
