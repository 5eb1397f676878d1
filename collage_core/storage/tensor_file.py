"""Tensors and plain values as the bytes of a safetensors file.

Bytes and not a path: safetensors maps a file into memory, and a file that shrinks while it is read
would end the process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

MAX_HEADER_BYTES = 1_000_000  # a longer header takes long to read
MAX_EMBEDDING_TENSORS = 16
MAX_STATE_TENSORS = 1000
TENSOR = "tensor\n"  # marks the number of a tensor in the JSON of a state


def to_bytes(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> bytes:
    """Tensors by name and strings as one safetensors file."""
    own = {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}
    return save(
        own, {key: text.encode(errors="replace").decode() for key, text in metadata.items()}
    )


def from_bytes(
    data: bytes, most_tensors: int = MAX_EMBEDDING_TENSORS
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors and strings of a safetensors file.

    Raises ValueError; its message is the end of a sentence about the file.
    """
    end = 8 + int.from_bytes(data[:8], "little")
    if data[8:9] != b"{":
        raise ValueError("is not a safetensors file")
    if end > MAX_HEADER_BYTES:
        raise ValueError(f"has a header of more than {MAX_HEADER_BYTES // 10**6} MB")
    try:
        with torch.inference_mode(False):  # else a node would read tensors that cannot be trained
            tensors = load(data)
        header = json.loads(data[8:end])
        strings = header.pop("__metadata__", {})
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError("is incomplete or has a damaged header") from error
    if len(tensors) > most_tensors:
        raise ValueError(f"holds {len(tensors)} tensors, more than {most_tensors}")
    return {name: tensors[name] for name in header}, strings  # `load` returns them in no order


def pack_state(state: dict[str, Any], key: str) -> bytes:
    """The state of a training as a file that names the training: dicts and lists of tensors and
    plain values.

        pack_state({"step": 40, "optimizer": {"vectors.l": torch.ones(2, 768)}}, key)

    Names are strings and tuples come back as lists. Raises TypeError for other values.
    """
    tensors: dict[str, torch.Tensor] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            tensors[str(len(tensors))] = value
            return {TENSOR: str(len(tensors) - 1)}
        if isinstance(value, dict):
            return {name: plain(part) for name, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(part) for part in value]
        return value

    tree = json.dumps(plain(state))
    return to_bytes(tensors, {"key": key, "state": tree})


def unpack_state(data: bytes, key: str) -> dict[str, Any]:
    """The state that `pack_state` wrote. Raises ValueError for damage or another training."""
    tensors, strings = from_bytes(data, MAX_STATE_TENSORS)

    def restored(value: Any) -> Any:
        if isinstance(value, dict):
            if TENSOR in value:
                return tensors[value[TENSOR]]
            return {name: restored(part) for name, part in value.items()}
        return [restored(part) for part in value] if isinstance(value, list) else value

    if strings.get("key") != key:
        raise ValueError("is of another training")
    try:
        return restored(json.loads(strings["state"]))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("is damaged") from error
