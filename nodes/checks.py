"""All inputs of all nodes are checked here, against the schema of the node.

The host checks constants only, and of these only numbers and options; values that come over a
link reach a node unchecked. Types stand in `kinds.py`, ranges and options in the schema.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Collection
from typing import Any

from comfy_api.latest import io

from ..collage_core.errors import CollageError, quoted
from .host.files.loaded_pictures import check_loaded
from .kinds import KINDS, number

PICTURES = {"IMAGE", "MASK", "LATENT"}
MAX_OPTIONS = 20  # that a message lists
TYPO_RATIO = 0.75  # similarity of two names from which one is taken for a typo of the other


def checked(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """The same node, which now raises CollageError for wrong inputs before it executes.

    Constants are refused in `validate_inputs`, before any node of the workflow runs. A node's own
    `validate_inputs` is called too, with the inputs that it names; an input over a link is None,
    and `linked` are the names of all of these.
    """
    run, own, define = node.execute, vars(node).get("validate_inputs"), node.define_schema
    run, define = run.__func__, define.__func__
    names = list(inspect.signature(run).parameters)[1:]
    left = list(inspect.signature(own.__func__).parameters)[1:] if own else []

    @functools.wraps(define)
    def define_schema(cls) -> io.Schema:
        schema = define(cls)
        schema.accept_all_inputs = True  # otherwise the host drops misspelled constants silently
        return schema

    @functools.wraps(run)
    def execute(cls, *args, **inputs) -> io.NodeOutput:
        given = {**dict(zip(names, args, strict=False)), **inputs}
        given = check_inputs(cls, given, left)
        check_loaded(cls, _where(cls.define_schema().node_id, given), _pictures(cls, given))
        return run(cls, **given)

    def validate_inputs(cls, **inputs) -> bool:
        # Raised and not returned, because the page does not show a returned message.
        check_inputs(cls, _constants(inputs, cls.define_schema()), left)
        if own:
            known = {**inputs, "linked": [name for name in inputs if inputs[name] is None]}
            own.__func__(cls, **{name: known.get(name) for name in left})
        return True

    for method in (define_schema, execute, validate_inputs):
        setattr(node, method.__name__, classmethod(method))
    return node


def check_inputs(
    node: type[io.ComfyNode], inputs: dict[str, Any], left: Collection[str] = ()
) -> dict[str, Any]:
    """The inputs, with INT as int and FLOAT as float. Raises CollageError for the first bad one.

    Options of the inputs `left` are not checked: the node does it, as in the host.
    """
    schema = node.define_schema()
    where = _where(schema.node_id, inputs)
    known = {one.id: one for one in schema.inputs}
    for name, value in inputs.items():
        if name not in known:
            _check_unknown(where, name, value, schema)
    return {
        name: _check(f"{where}, input {name}", known[name], value, left)
        for name, value in inputs.items()
        if name in known
    }


def _pictures(node: type[io.ComfyNode], inputs: dict[str, Any]) -> list[str]:
    """The inputs with pixels, which may come from a file."""
    kinds = {one.id: one.get_io_type() for one in node.define_schema().inputs}
    return [name for name in inputs if kinds[name] in PICTURES and inputs[name] is not None]


def _constants(inputs: dict[str, Any], schema: io.Schema) -> dict[str, Any]:
    """The values that are known before the run; links to inputs of the node are left out."""
    known = {one.id: one for one in schema.inputs}
    given: dict[str, Any] = {}
    for name, value in inputs.items():
        if isinstance(known.get(name), io.Autogrow.Input) and isinstance(value, dict):
            given[name] = {part: each for part, each in value.items() if each is not None}
        elif value is not None or name not in known:
            given[name] = value
    return given


def _check_unknown(where: str, name: str, value: Any, schema: io.Schema) -> None:
    """Refuse a link to an unknown input, and a constant that looks like a typo of an input.

    Other constants are widgets that other packs put on every node.
    """
    close = difflib.get_close_matches(name, [one.id for one in schema.inputs], 1, TYPO_RATIO)
    if not isinstance(value, (str, int, float, list, dict)) or close:
        hint = f" Did you mean {close[0]}?" if close else ""
        raise CollageError(f"{where} has no input {name}.{hint} {_inputs(schema)}")


def _where(node: str, inputs: dict[str, Any]) -> str:
    """The node as messages call it, with the text of the layer that it makes."""
    text = inputs.get("text")
    return f"{node} {quoted(text)}" if isinstance(text, str) and text.strip() else node


def _inputs(schema: io.Schema) -> str:
    """The end of a message about an unknown input: the names that the node has."""
    names = [
        f"{one.id}.{one.template.names[0]} to {one.id}.{one.template.names[-1]}"
        if isinstance(one, io.Autogrow.Input)
        else one.id
        for one in schema.inputs
    ]
    return f"Disconnect it, or use one of {', '.join(names)}." if names else "Disconnect it."


def _check(where: str, one: io.Input, value: Any, left: Collection[str]) -> Any:
    if value is None and one.optional and getattr(one, "default", None) is None:
        return None  # a socket that may be left free
    if isinstance(one, io.Autogrow.Input):
        return _check_group(where, one, value, left)
    kind = one.extra_dict.get("widgetType", one.get_io_type())
    if fault := KINDS[kind].fault(value):
        raise CollageError(f"{where}: {fault}. {KINDS[kind].remedy}")
    if kind in ("INT", "FLOAT"):
        return _in_range(where, one, value)
    if isinstance(one, io.Combo.Input) and one.id not in left:
        _one_of(where, one, value)
    return value


def _check_group(
    where: str, one: io.Autogrow.Input, values: Any, left: Collection[str]
) -> dict[str, Any]:
    """The sockets of a group that grows, by their names without the group's."""
    sockets = {socket.id: socket for socket in one.template.get_all()}
    if not isinstance(values, dict) or not values.keys() <= sockets.keys():
        first = next(iter(sockets))
        raise CollageError(f"{where}: it is a group of sockets. Connect {one.id}.{first} instead.")
    many = values.items()
    return {name: _check(f"{where}.{name}", sockets[name], each, left) for name, each in many}


def _in_range(where: str, one: Any, value: Any) -> int | float:
    if not one.min <= value <= one.max:
        raise CollageError(
            f"{where}: {number(value)} is outside {number(one.min)} to {number(one.max)}. "
            "Enter a value inside the range."
        )
    return int(value) if one.get_io_type() == "INT" else float(value)


def _one_of(where: str, one: Any, value: Any) -> None:
    if value not in one.options:
        listed = ", ".join(one.options[:MAX_OPTIONS])
        more = ", ..." if len(one.options) > MAX_OPTIONS else ""
        raise CollageError(
            f"{where}: {quoted(value)} is none of {listed}{more}. Choose one of these."
        )
