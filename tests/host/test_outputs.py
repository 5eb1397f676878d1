"""Outputs share no memory with inputs or with a collage: other packs write into pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

PICTURES = {"IMAGE", "MASK", "LATENT"}
TRAINS = {"LayerTextualInversion"}  # its one picture is a drawn curve


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


def tensors(thing: Any) -> list[torch.Tensor]:
    """Every tensor in something, those that a COLLAGE keeps to itself as well."""
    if isinstance(thing, torch.Tensor):
        return [thing]
    parts = thing if isinstance(thing, (list, tuple)) else ()
    parts = thing.values() if isinstance(thing, dict) else parts
    parts = vars(thing).values() if dataclasses.is_dataclass(thing) else parts
    return [found for part in parts for found in tensors(part)]


def runs(
    pack, things: dict[str, Any], right: Callable[[Any], Any]
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Every node that makes pictures, with all of its inputs and with those alone it needs."""
    patch = pack.nodes.attention.MaskedCrossAttentionPatch
    inputs = {one.id: right(one) for one in patch.define_schema().inputs}
    model, positive, *_ = patch.execute(**{**inputs, "crop": None}).args
    edit = pack.nodes.editing.CollageEdit
    inputs = {one.id: right(one) for one in edit.define_schema().inputs}
    edited = edit.execute(**{**inputs, "noise": 1.0}).args[0]
    odd = {"model": model, "positive": positive, "crop": None, "halo": 0}
    for node in pack.nodes.NODES:
        kinds = {one.get_io_type() for one in node.define_schema().outputs}
        if node.__name__ in TRAINS or not kinds & PICTURES:
            continue
        schema = node.define_schema().inputs
        given = {one.id: right(one) for one in schema}
        given |= {name: odd[name] for name in given.keys() & odd.keys()}
        needed = {one.id: given[one.id] for one in schema if not one.optional}
        if node.__name__ == "CollagePasteBack":
            needed["collage"] = edited
        if node.__name__ == "CollageEditor":  # an empty document
            needed["collage"] = things["COLLAGE"]
        yield node, given
        yield node, needed
        if node.__name__ in ("CollageLayers", "CollageSplit"):
            yield node, {**given, "collage": things["hidden"]}


def test_what_is_done_to_an_output_changes_nothing_else(pack, things, right) -> None:
    """Some packs write into pictures that they are given: neither inputs nor collages may hear."""
    found, looked_at = set(), 0
    for node, given in runs(pack, things, right):
        made = node.execute(**given).args
        outputs = node.define_schema().outputs
        for number, (one, thing) in enumerate(zip(outputs, made, strict=True)):
            if one.get_io_type() not in PICTURES:
                continue
            own = thing["samples"] if isinstance(thing, dict) else thing
            others = tensors([given, *made[:number], *made[number + 1 :]])
            before = [other.clone() for other in others]
            try:
                own.add_(1)
            except RuntimeError as error:  # one place in memory for several pixels
                found.add(f"{node.__name__}.{one.id}: {error}")
            pairs = zip(others, before, strict=True)
            if not all(torch.equal(now, then) for now, then in pairs):
                found.add(f"{node.__name__}.{one.id}")
            own.sub_(1)
            looked_at += 1
    assert looked_at > 20
    assert sorted(found) == []
