"""CollageTakeLayer and CollagePutLayer: what is taken, and how layers are named."""

from __future__ import annotations

import dataclasses

import pytest
import torch


@pytest.mark.parametrize("name", ["3", " Cake ", "cake"])
def test_a_layer_is_taken_as_it_is(execute, collage, name) -> None:
    stack = collage()
    out = execute("CollageTakeLayer", collage=stack, layer=name)
    assert out.layer is stack.layers[2]
    assert torch.equal(out.image, out.layer.image)
    assert torch.equal(out.mask, out.layer.alpha)


def test_a_hidden_layer_can_be_taken_and_put_back(execute, collage) -> None:
    stack = collage(prompt="a cup, a jug and a cake")
    jug = execute("CollageTakeLayer", collage=stack, layer="jug").layer
    shown = dataclasses.replace(jug, visible=True)
    out = execute("CollagePutLayer", collage=stack, layer="jug", layer_in=shown)
    assert out.collage.layers == (stack.layers[0], shown, stack.layers[2])


@pytest.mark.parametrize("node", ["CollageTakeLayer", "CollagePutLayer"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lemon", '"lemon". There are 1 "cup", 2 "jug", 3 "cake", 4 "cake".'),
        ("background", 'there is no layer "background"'),
        ("0", 'there is no layer "0"'),
        ("1, 2", 'there is no layer "1, 2"'),
        ("cake", '"cake" is the text of layers 3 and 4. Use the number'),
        (" ", '" " names no layer. Write its number'),
    ],
)
def test_a_name_of_no_one_layer_is_refused(execute, collage, layer, refused, node, name, said):
    stack = collage(*collage().layers, layer("cake"), prompt="a cup, a cake")
    inputs = {"layer_in": stack.layers[0]} if node == "CollagePutLayer" else {}
    message = refused(execute, node, collage=stack, layer=name, **inputs)
    assert message.startswith(f"{node}, input layer: ")
    assert said in message


@pytest.mark.parametrize("node", ["CollageTakeLayer", "CollagePutLayer"])
def test_an_empty_name_is_refused_before_the_run(node_of, refused, node) -> None:
    assert "names no layer" in refused(node_of(node).validate_inputs, layer="")
    assert node_of(node).validate_inputs(layer=None) is True  # over a link


def test_a_layer_too_large_for_the_memory_is_refused(execute, collage, refused, monkeypatch):
    import comfy.model_management as management

    monkeypatch.setattr(management, "get_free_memory", lambda _device: 1e3)
    stack = collage()
    said = refused(execute, "CollagePutLayer", collage=stack, layer="1", layer_in=stack.layers[0])
    assert "CollagePutLayer, a canvas of 64 x 48 pixels with its layers takes" in said
