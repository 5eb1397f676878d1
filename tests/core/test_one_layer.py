"""One layer put in place of another: what stays, and what a collage cannot take."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from collage_core.collage.collage import Collage, Edit
from collage_core.collage.layer import Embedding, Layer
from collage_core.collage.one_layer import put_layer
from collage_core.errors import CollageError

H, W = 16, 24
WHERE = "CollageX, input layer_in"


def layer(text: str, batch: int = 1, **settings: Any) -> Layer:
    image = torch.rand(batch, 8, 8, 3, generator=torch.Generator().manual_seed(len(text)))
    return Layer(image=image, alpha=torch.ones(batch, 8, 8), text=text, **settings)


def collage(*layers: Layer, **settings: Any) -> Collage:
    layers = layers or (layer("cup", x=0.3), layer("jug", visible=False), layer("cake"))
    values = {"prompt": "a cup, a jug, cake", "background": torch.zeros(1, H, W, 3)} | settings
    return Collage(width=W, height=H, layers=layers, **values)


def finished() -> Edit:
    return Edit(picture=torch.full((1, H, W, 3), 0.5), base_noise=0.0, feather=2.0)


def refused(stack: Collage, number: int, new: Layer) -> str:
    with pytest.raises(CollageError) as error:
        put_layer(stack, number, new, WHERE)
    assert str(error.value).startswith(f"{WHERE}: ")
    return str(error.value)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_everything_but_the_layer_stays(number: int):
    stack, new = collage(notes=("so",)), layer("jug", x=0.8, blend="screen")
    changed = put_layer(stack, number, new, WHERE)
    assert changed.layers[number - 1] is new
    others = [one for n, one in enumerate(changed.layers, 1) if n != number]
    assert others == [one for n, one in enumerate(stack.layers, 1) if n != number]
    for name in ("prompt", "background", "notes", "edit", "width", "height"):
        assert getattr(changed, name) is getattr(stack, name), name
    assert stack.layers[number - 1] is not new
    assert torch.equal(changed.composite.image, collage(*changed.layers).composite.image), (
        "computed anew"
    )


def test_a_learned_look_comes_into_the_prompt():
    stack = collage()
    learned = Embedding(name="my_cake", vectors={})
    new = dataclasses.replace(stack.layers[2], embedding=learned)
    _ = stack.learned_phrases
    changed = put_layer(stack, 3, new, WHERE)
    assert changed.learned_phrases.prompt == "a cup, a jug, embedding:my_cake cake"


def test_words_that_are_not_in_the_prompt_are_refused():
    said = refused(collage(), 3, layer("lemon"))
    assert 'in place of layer 3 "cake" the layers do not fit the prompt' in said
    assert '"lemon", input text: does not stand in the prompt' in said


@pytest.mark.parametrize("part", ["background", "layer", "edit"])
def test_batches_that_do_not_fit_are_refused(part: str):
    three = torch.zeros(3, H, W, 3)
    stack = {
        "background": collage(background=three),
        "layer": collage(layer("cup", batch=3), layer("cake")),
        "edit": collage(edit=dataclasses.replace(finished(), picture=three)),
    }[part]
    number = len(stack.layers)
    said = refused(stack, number, dataclasses.replace(layer("cake", batch=2)))
    assert "its 2 pictures do not fit the 3 of the collage" in said
    if part != "edit":
        put_layer(stack, number, layer("cake", batch=2, visible=False), WHERE)


def test_the_layer_that_goes_may_be_the_only_one_of_a_batch():
    stack = collage(layer("cup"), layer("cake", batch=3))
    assert put_layer(stack, 2, layer("cake", batch=2), WHERE).composite.image.shape[0] == 2


@pytest.mark.parametrize(
    "change",
    [{"x": 0.4}, {"flip": "both"}, {"blend": "add"}, {"visible": False}, {"opacity": 0.5},
     {"alpha": torch.zeros(1, 8, 8)}],
)  # fmt: skip
def test_what_a_finished_picture_would_not_show_is_refused(change: dict[str, Any]):
    stack = collage(edit=finished())
    said = refused(stack, 1, dataclasses.replace(stack.layers[0], **change))
    assert f'its {next(iter(change))} is not that of layer 1 "cup"' in said
    assert "before CollageEdit" in said


def test_a_finished_picture_takes_other_strengths_and_a_look():
    stack = collage(edit=finished())
    same = stack.layers[0]
    new = dataclasses.replace(same, noise=0.9, attract=2.0, image=same.image.clone())
    assert put_layer(stack, 1, new, WHERE).edit is stack.edit
