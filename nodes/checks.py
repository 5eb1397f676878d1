"""Everything that arrives at a node is checked against the node's own schema, once for all nodes.

The host checks constants alone, and only numbers and lists of options; what comes over a link
reaches a node as it is. Types stand in `kinds.py`, ranges and options in the node's inputs.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from comfy_api.latest import io

from ..collage_core.errors import CollageError, quoted
from .host.loaded_pictures import check_loaded
from .kinds import KINDS, number

PICTURES = {"IMAGE", "MASK", "LATENT"}
MOST_OPTIONS = 20  # that a message lists


def checked(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """The same node; it refuses wrong inputs by a CollageError before anything is done."""
    run = node.execute.__func__
    names = list(inspect.signature(run).parameters)[1:]

    @functools.wraps(run)
    def execute(cls, *args, **inputs) -> io.NodeOutput:
        given = check_inputs(cls, {**dict(zip(names, args, strict=False)), **inputs})
        check_loaded(cls, _where(cls.define_schema().node_id, given), _pictures(cls, given))
        return run(cls, **given)

    node.execute = classmethod(execute)
    return node


def check_inputs(node: type[io.ComfyNode], inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs, whole numbers as int and others as float; CollageError for the first bad one."""
    schema = node.define_schema()
    where = _where(schema.node_id, inputs)
    known = {one.id: one for one in schema.inputs}
    for name in inputs.keys() - known.keys():
        raise CollageError(f"{where} has no input {name}. {_inputs(schema)}")
    own = _checks_itself(node)
    return {
        name: _check(f"{where}, input {name}", known[name], value, own)
        for name, value in inputs.items()
    }


def _pictures(node: type[io.ComfyNode], inputs: dict[str, Any]) -> list[str]:
    """The inputs that show something and may come from a file."""
    kinds = {one.id: one.get_io_type() for one in node.define_schema().inputs}
    return [name for name in inputs if kinds[name] in PICTURES and inputs[name] is not None]


def _where(node: str, inputs: dict[str, Any]) -> str:
    """The node, and the layer that it makes."""
    text = inputs.get("text")
    return f"{node} {quoted(text)}" if isinstance(text, str) and text.strip() else node


def _inputs(schema: io.Schema) -> str:
    """What there is, for someone who looked for something else."""
    names = [
        f"{one.id}.{one.template.names[0]} to {one.id}.{one.template.names[-1]}"
        if isinstance(one, io.Autogrow.Input)
        else one.id
        for one in schema.inputs
    ]
    return f"Disconnect it, or use one of {', '.join(names)}." if names else "Disconnect it."


def _checks_itself(node: type[io.ComfyNode]) -> set[str]:
    """Inputs that `validate_inputs` names: as the host does, their options are left to the node."""
    own = vars(node).get("validate_inputs")
    return set(inspect.signature(own.__func__).parameters) if own else set()


def _check(where: str, one: io.Input, value: Any, own: set[str]) -> Any:
    if value is None and one.optional and getattr(one, "default", None) is None:
        return None  # a socket that may be left free
    if isinstance(one, io.Autogrow.Input):
        return _check_group(where, one, value, own)
    kind = one.get_io_type()
    if fault := KINDS[kind].fault(value):
        raise CollageError(f"{where}: {fault}. {KINDS[kind].remedy}")
    if kind in ("INT", "FLOAT"):
        return _in_range(where, one, value)
    if kind == "COMBO" and one.id not in own:
        _one_of(where, one, value)
    return value


def _check_group(where: str, one: io.Autogrow.Input, values: Any, own: set[str]) -> dict[str, Any]:
    """The sockets of a group that grows, by their names without the group's."""
    sockets = {socket.id: socket for socket in one.template.get_all()}
    if not isinstance(values, dict) or not values.keys() <= sockets.keys():
        first = next(iter(sockets))
        raise CollageError(f"{where}: it is a group of sockets. Connect {one.id}.{first} instead.")
    many = values.items()
    return {name: _check(f"{where}.{name}", sockets[name], each, own) for name, each in many}


def _in_range(where: str, one: Any, value: Any) -> int | float:
    if not one.min <= value <= one.max:
        raise CollageError(
            f"{where}: {number(value)} is outside {number(one.min)} to {number(one.max)}. "
            "Enter a value inside the range."
        )
    return int(value) if one.get_io_type() == "INT" else float(value)


def _one_of(where: str, one: Any, value: str) -> None:
    if value not in one.options:
        listed = ", ".join(one.options[:MOST_OPTIONS])
        more = ", ..." if len(one.options) > MOST_OPTIONS else ""
        raise CollageError(
            f"{where}: {quoted(value)} is none of {listed}{more}. Choose one of these."
        )
