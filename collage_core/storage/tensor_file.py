"""Tensors by name and a table of strings, as the bytes of a safetensors file.

Bytes and not a path: safetensors maps a file into memory, and a file that shrinks while it is read
would end the process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

LARGEST_HEADER = 1_000_000  # bytes; a longer one would take long to read


def to_bytes(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> bytes:
    """The tensors and the strings as one safetensors file."""
    own = {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}
    return save(
        own, {key: text.encode(errors="replace").decode() for key, text in metadata.items()}
    )


def from_bytes(
    data: bytes, most_tensors: int = 16
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors and the strings of a safetensors file.

    Raises ValueError with what is wrong, as the end of a sentence about the file.
    """
    end = 8 + int.from_bytes(data[:8], "little")
    if end > 8 + LARGEST_HEADER or data[8:9] != b"{":
        raise ValueError("is not a safetensors file")
    try:
        with torch.inference_mode(False):  # else a node would read tensors that cannot be trained
            tensors = load(data)
        header = json.loads(data[8:end])
        strings = header.pop("__metadata__", {})
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError("is incomplete or has a damaged header") from error
    if len(tensors) > most_tensors:
        raise ValueError(f"holds {len(tensors)} tensors, more than {most_tensors}")
    return {name: tensors[name] for name in header}, strings  # `load` has no order
