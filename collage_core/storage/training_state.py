"""The state of a training as bytes: nested dicts and lists of tensors and plain values."""

from __future__ import annotations

import json
from typing import Any

import torch

from .tensor_file import from_bytes, to_bytes

TENSOR = "tensor\n"  # marks a tensor's number in the JSON; no name that anyone gives
MOST_TENSORS = 1000


def pack_state(state: dict[str, Any], key: str) -> bytes:
    """A state as a safetensors file that says which training it is of.

    Dicts have strings for names, tuples come back as lists, and what is neither a tensor nor
    plain raises TypeError.
    """
    tensors: dict[str, torch.Tensor] = {}

    def plain(thing: Any) -> Any:
        if isinstance(thing, torch.Tensor):
            tensors[str(len(tensors))] = thing
            return {TENSOR: str(len(tensors) - 1)}
        if isinstance(thing, dict):
            return {name: plain(value) for name, value in thing.items()}
        if isinstance(thing, (list, tuple)):
            return [plain(value) for value in thing]
        return thing

    tree = json.dumps(plain(state))
    return to_bytes(tensors, {"key": key, "state": tree})


def unpack_state(data: bytes, key: str) -> dict[str, Any]:
    """The state that `pack_state` made; ValueError when it is damaged or of another training."""
    tensors, strings = from_bytes(data, MOST_TENSORS)

    def restored(thing: Any) -> Any:
        if isinstance(thing, dict):
            if TENSOR in thing:
                return tensors[thing[TENSOR]]
            return {name: restored(value) for name, value in thing.items()}
        return [restored(value) for value in thing] if isinstance(thing, list) else thing

    if strings.get("key") != key:
        raise ValueError("is of another training")
    try:
        return restored(json.loads(strings["state"]))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("is damaged") from error
