"""What every node refuses, found by its schema: each wrong value for each of its inputs."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

SIZE = 64
WRONG = {
    "nothing": None,
    "no text": "",
    "text": "picture.png",
    "half a character": "sushi \ud800",
    "endless text": "sushi, " * 40000,
    "bytes": b"sushi",
    "switch": True,
    "minus one": -1,
    "huge": 10**9,
    "endless": 10**5000,
    "fraction": 0.123,
    "not a number": math.nan,
    "infinite": math.inf,
    "complex": 1j,
    "empty list": [],
    "list": [1],
    "empty dict": {},
    "dict": {"a": 1},
    "object": object(),
    "class": torch.nn.Module,
    "integer tensor": torch.ones(1, SIZE, SIZE, 3, dtype=torch.uint8),
    "tensor of NaN": torch.full((1, SIZE, SIZE, 3), math.nan),
    "tensor of one rank": torch.ones(3),
    "empty tensor": torch.ones(0, SIZE, SIZE, 3),
    "tensor of no width": torch.ones(1, SIZE, 0, 3),
    "five channels": torch.ones(1, SIZE, SIZE, 5),
    "complex tensor": torch.ones(1, SIZE, SIZE, 3, dtype=torch.complex64),
    "no samples": {"samples": None},
    "empty samples": {"samples": torch.ones(0, 4, 8, 8)},
    "samples of NaN": {"samples": torch.full((1, 4, 8, 8), math.nan)},
    "samples of integers": {"samples": torch.ones(1, 4, 8, 8, dtype=torch.int64)},
    "samples under a mask of text": {"samples": torch.ones(1, 4, 8, 8), "noise_mask": "mask"},
    "prompt without features": [[None, {}]],
    "prompt of NaN": [[torch.full((1, 77, 64), math.nan), {}]],
    "prompt of three": [[torch.ones(1, 77, 64), {}, {}]],
    "prompt without settings": [[torch.ones(1, 77, 64), None]],
}
# What is right for a kind; the rest of the list is wrong.
RIGHT = {
    "STRING": {"no text", "text"},
    "BOOLEAN": {"switch"},
    "FLOAT": {"fraction"},
}


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


def refusal(node: Any, inputs: dict[str, Any], *, before: bool = False) -> str:
    """What the node says, or what it says `before` anything runs; "" when it is content."""
    try:
        (node.validate_inputs if before else node.execute)(**inputs)
    except Exception as error:  # noqa: BLE001  what else it raises is the finding
        plain = type(error).__name__ == "CollageError"
        return str(error) if plain else f"{type(error).__name__}: {error}"
    return ""


def may_be_left_free(one: Any) -> bool:
    return one.optional and getattr(one, "default", None) is None


def is_right(one: Any, what: str) -> bool:
    if what == "nothing" and may_be_left_free(one):
        return True
    if one.get_io_type() in ("INT", "FLOAT") and what in ("minus one", "huge"):
        return one.min <= WRONG[what] <= one.max
    return what in RIGHT.get(one.get_io_type(), ())


def test_every_wrong_thing_is_refused_by_the_name_of_its_input(pack, things, right) -> None:
    found, tried = {}, 0
    for node in pack.nodes.NODES:
        inputs = node.define_schema().inputs
        good = {one.id: right(one) for one in inputs}
        for one in inputs:
            grows = one.get_io_type() == "COMFY_AUTOGROW_V3"
            name = f"{one.id}.layer0" if grows else one.id
            for what, wrong in WRONG.items():
                if is_right(one, what):
                    continue
                given = {**good, one.id: {"layer0": wrong} if grows else wrong}
                said = refusal(node, given)
                tried += 1
                right_start = said.startswith(node.__name__) and f", input {name}: " in said
                if not right_start or not said.endswith("."):
                    found[f"{node.__name__}.{name}, {what}"] = said
    assert tried > 1500
    assert found == {}


def test_every_wrong_constant_is_refused_before_anything_runs(pack, things, right) -> None:
    """Sockets are links, so None; values are those that JSON has, as the host hands them over."""
    found, tried = {}, 0
    for node in pack.nodes.NODES:
        inputs = node.define_schema().inputs
        links = {one.id: None if one.get_io_type() in things else right(one) for one in inputs}
        files = {one.id for one in inputs if one.get_io_type() == "COMBO" and one.default is None}
        links |= dict.fromkeys(files)
        assert refusal(node, links, before=True) == ""
        for one in inputs:
            grows = one.get_io_type() == "COMFY_AUTOGROW_V3"
            name = f"{one.id}.layer0" if grows else one.id
            for what, wrong in WRONG.items():
                if is_right(one, what) or not isinstance(wrong, (str, float, bool)):
                    continue
                given = {**links, one.id: {"layer0": wrong} if grows else wrong}
                said = refusal(node, given, before=True)
                tried += 1
                if not said.startswith(node.__name__) or f", input {name}: " not in said:
                    found[f"{node.__name__}.{name}, {what}"] = said
    assert tried > 500
    assert found == {}


def test_every_kind_of_input_is_in_the_table(pack) -> None:
    kinds = {one.get_io_type() for node in pack.nodes.NODES for one in node.define_schema().inputs}
    assert kinds - {"COMFY_AUTOGROW_V3"} <= set(pack.nodes.kinds.KINDS)


def test_a_layer_at_the_group_of_sockets_itself(pack, things, right) -> None:
    node = pack.nodes.stack.CollageStack
    good = {one.id: right(one) for one in node.define_schema().inputs}
    said = refusal(node, {**good, "layers": things["COLLAGE_LAYER"]})
    assert "input layers: it is a group of sockets. Connect layers.layer0 instead." in said


@pytest.mark.parametrize(("value", "made"), [(2.0, 2), (2**63, 2**63)])
def test_a_whole_number_of_another_type_is_taken(pack, value, made) -> None:
    node = pack.nodes.sampling.PerLayerNoiseKSampler
    (seed,) = pack.nodes.checks.check_inputs(node, {"seed": value}).values()
    assert (seed, type(seed)) == (made, int)


def test_a_link_to_no_input_is_named_by_every_node(pack, things, right) -> None:
    for node in pack.nodes.NODES:
        good = {one.id: right(one) for one in node.define_schema().inputs}
        said = refusal(node, {**good, "noise_mask": torch.ones(1, SIZE, SIZE)})
        assert "has no input noise_mask. Disconnect it" in said
