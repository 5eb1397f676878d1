"""A hash of everything that determines a result."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

import torch


def content_key(**things: object) -> str:
    """The SHA-256 of named values: nested tuples, lists and dicts of tensors and plain values.

        content_key(seed=0, vectors={"l": torch.ones(2, 768)})  # 64 hexadecimal digits

    Equal content gives an equal key in every process and on every machine. The order of names
    does not matter, and a list is equal to a tuple. Raises TypeError for values of other types.
    """
    digest = hashlib.sha256()
    for part in _parts(things):
        digest.update(part)
    return digest.hexdigest()


def _parts(thing: object) -> Iterator[bytes]:
    """Kind, length and content of a value, so that different values give different bytes."""
    if isinstance(thing, torch.Tensor):
        yield _plain("tensor", f"{thing.dtype} {tuple(thing.shape)}".encode())
        yield thing.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(thing, dict):
        yield _plain("dict", str(len(thing)).encode())
        for name in sorted(thing):
            yield from _parts(name)
            yield from _parts(thing[name])
    elif isinstance(thing, (tuple, list)):
        yield _plain("tuple", str(len(thing)).encode())
        for item in thing:
            yield from _parts(item)
    else:
        yield _plain(*_kind_and_content(thing))


def _kind_and_content(thing: object) -> tuple[str, bytes]:
    if isinstance(thing, float):
        return "float", struct.pack("<d", thing)
    if isinstance(thing, bytes):
        return "bytes", thing
    if thing is None or isinstance(thing, (bool, int, str)):
        return type(thing).__name__, str(thing).encode("utf-8", "surrogatepass")
    raise TypeError(f"{type(thing).__name__} has no content key; give its tensors and values")


def _plain(kind: str, content: bytes) -> bytes:
    return f"{kind} {len(content)} ".encode() + content
