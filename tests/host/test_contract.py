"""The contract of every node: names, order and defaults as in the snapshot, and house rules.

The snapshot is what a server says of the nodes (tests/server/test_object_info.py). Here the
schemas are held to it without a server, because `run.py canary` does so in other ComfyUIs.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SNAPSHOT = json.loads(
    Path(__file__).parents[1].joinpath("server", "object_info.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", SNAPSHOT)
def test_inputs_and_outputs_are_those_of_the_snapshot(node_of, name):
    schema, before = node_of(name).GET_SCHEMA(), SNAPSHOT[name]
    assert [output.id for output in schema.outputs] == before["output_name"]
    for section, optional in (("required", False), ("optional", True)):
        found = {
            one.id: getattr(one, "default", None)
            for one in schema.inputs
            if one.optional == optional
        }
        given = {
            name: spec[1].get("default") for name, spec in before["input"].get(section, {}).items()
        }
        assert list(found.items()) == list(given.items())


def test_every_input_has_a_tooltip_and_every_number_a_range(pack):
    for node in pack.nodes.NODES:
        schema = node.GET_SCHEMA()
        unnamed = [s.id for s in (*schema.inputs, *schema.outputs) if not s.tooltip]
        assert not unnamed, f"{schema.node_id}: {unnamed}"
        numbers = [i for i in schema.inputs if i.get_io_type() in ("FLOAT", "INT")]
        assert all(None not in (i.min, i.max, i.step) for i in numbers), schema.node_id
        assert all(i.round for i in numbers if i.get_io_type() == "FLOAT"), schema.node_id
        assert schema.category == "collage"
        assert schema.description
        assert schema.search_aliases


def test_shares_are_sliders_and_wide_ranges_are_not(pack):
    for node in pack.nodes.NODES:
        for number in node.GET_SCHEMA().inputs:
            if number.get_io_type() == "FLOAT" and not number.advanced:
                narrow = number.max - number.min <= 2
                assert bool(number.display_mode) == narrow, (node.__name__, number.id)
