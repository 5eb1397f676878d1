"""The safetensors format: tensors by name, and a table of strings.

Read here and not by its library, so that the core needs torch alone, a file that shrinks while it
is read does no harm, and a header cannot ask for more work than an embedding is worth.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import torch

LARGEST_HEADER = 1_000_000  # bytes

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def to_bytes(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> bytes:
    """The tensors and the strings as one safetensors file."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    parts: list[bytes] = []
    end = 0
    for name, tensor in tensors.items():
        parts.append(raw_bytes(tensor))
        start, end = end, end + len(parts[-1])
        header[name] = {
            "dtype": DTYPE_NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, ensure_ascii=False).encode("utf-8", errors="replace")
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def raw_bytes(tensor: torch.Tensor) -> bytes:
    """The numbers of a tensor in order, as they lie in memory."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()


def from_bytes(
    data: bytes, most_tensors: int = 16
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors and the strings of a safetensors file.

    Raises ValueError with what is wrong, as the end of a sentence about the file.
    """
    header, start = _header(data)
    metadata = header.pop("__metadata__", {})
    if len(header) > most_tensors:
        raise ValueError(f"holds {len(header)} tensors, more than {most_tensors}")
    try:
        layouts = {name: _layout(entry) for name, entry in header.items()}
        strings = {str(key): str(value) for key, value in metadata.items()}
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError("has a damaged header") from error
    tensors = {name: _tensor(*layout, data[start:]) for name, layout in layouts.items()}
    if start + sum(tensor.nbytes for tensor in tensors.values()) != len(data):
        raise ValueError("is incomplete or has been altered")
    return tensors, strings


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The table at the front and where the numbers begin."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > LARGEST_HEADER or data[8:9] != b"{":
        raise ValueError("is not a safetensors file")
    if 8 + size > len(data):
        raise ValueError("is incomplete")
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError) as error:
        raise ValueError("has a damaged header") from error
    return header, 8 + size


def _layout(entry: dict[str, Any]) -> tuple[torch.dtype, list[int], int, int]:
    """Type and shape of one tensor, and where its numbers begin and end."""
    first, end = entry["data_offsets"]
    return DTYPES[entry["dtype"]], [int(n) for n in entry["shape"]], int(first), int(end)


def _tensor(
    dtype: torch.dtype, shape: list[int], first: int, end: int, numbers: bytes
) -> torch.Tensor:
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or first < 0 or end - first != size or end > len(numbers):
        raise ValueError("is incomplete or has a damaged header")
    # Read inside a node they would be inference tensors, which nothing can train on.
    with torch.inference_mode(False):
        if size == 0:
            return torch.empty(shape, dtype=dtype)
        copy = bytearray(numbers[first:end])
        return torch.frombuffer(copy, dtype=torch.uint8).view(dtype).reshape(shape)
