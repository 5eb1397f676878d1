"""Learned embeddings as safetensors files, in the forms that the common tools share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

import torch

from ..errors import CollageError, quoted
from .atomic_write import write_whole
from .tensor_file import from_bytes, to_bytes

Vectors = dict[str, torch.Tensor]  # text encoder -> [N, width]: {"l": [2, 768], "g": [2, 1280]}

SUFFIX = ".safetensors"
PICKLES = {".pt", ".bin", ".ckpt", ".pth", ".pt2", ".pkl"}
ENCODER_OF_KEY = {"clip_l": "l", "clip_g": "g", "clip_h": "h", "t5xxl": "t5xxl"}
ENCODER_OF_WIDTH = {768: "l", 1280: "g", 1024: "h"}
# (encoder, width) of every table -> how the common metadata names the family
ARCHITECTURES = {
    (("l", 768),): "stable-diffusion-v1",
    (("h", 1024),): "stable-diffusion-v2-512",
    (("g", 1280), ("l", 768)): "stable-diffusion-xl-v1-base",
}
MANY_VECTORS = 16  # with more, a report warns
MAX_FILE_BYTES = 50_000_000  # an embedding has thousands
MAX_METADATA_CHARACTERS = 2000  # under one name


def read_embedding(path: Path) -> Vectors:
    """The vectors of a file in float32, by text encoder. Raises CollageError."""
    return read_with_metadata(path)[0]


def read_with_metadata(path: Path) -> tuple[Vectors, dict[str, str]]:
    """The vectors and the metadata of a file. Raises CollageError where it is no embedding."""
    what = f"The embedding file {quoted(path.name)}"
    data = _bytes_of(path, what)
    try:
        tensors, metadata = from_bytes(data)
    except ValueError as error:
        raise CollageError(f"{what} {error}. Download or export it again.") from error
    return by_encoder(tensors, what), metadata


def _bytes_of(path: Path, what: str) -> bytes:
    if path.suffix.lower() in PICKLES:
        raise CollageError(
            f"{what} is a pickle, which can run any program when it is opened. Convert it with: "
            f"python3 run.py convert-embedding {path.name}"
        )
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CollageError(
            f"{what} cannot be read ({error.strerror or error}). Put it back, or choose another."
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise CollageError(
            f"{what} has more than {MAX_FILE_BYTES // 10**6} MB, and embeddings have thousands of "
            "bytes. Choose a file with a textual inversion."
        )
    return data


def by_encoder(tensors: Mapping[str, torch.Tensor], what: str) -> Vectors:
    """The tables of a file by text encoder, which the key of a tensor shows, or else its width.

        by_encoder({"emb_params": torch.ones(2, 768)}, "The file")  # {"l": [2, 768]}

    Raises CollageError; `what` is the beginning of its message.
    """
    found: Vectors = {}
    for key, tensor in tensors.items():
        table = _table(tensor, f"{what}, tensor {quoted(key)},")
        encoder = ENCODER_OF_KEY.get(key) or ENCODER_OF_WIDTH.get(table.shape[1], "l")
        if encoder in found:
            raise CollageError(
                f"{what} holds several tables for the text encoder {encoder}: "
                f"{', '.join(quoted(name) for name in tensors)}. Keep one embedding in a file."
            )
        found[encoder] = table
    if not found:
        raise CollageError(f"{what} holds no vectors. Choose a file with a textual inversion.")
    if len({len(table) for table in found.values()}) > 1:
        counts = ", ".join(f"{len(found[encoder])} for {encoder}" for encoder in sorted(found))
        raise CollageError(
            f"{what} has different numbers of vectors for its text encoders ({counts}), which "
            "would shift the words of the prompt apart. Train it again for both together."
        )
    return found


def _table(tensor: torch.Tensor, what: str) -> torch.Tensor:
    """A tensor [N, width] or [width] as a table [N, width] in float32, or CollageError."""
    if tensor.ndim == 1:
        tensor = tensor[None]
    if tensor.ndim != 2 or not tensor.is_floating_point() or 0 in tensor.shape:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise CollageError(
            f"{what} is of shape {list(tensor.shape)} in {kind}; an embedding is a table of "
            "vectors, [number, width] in floating point. Choose a file with a textual inversion."
        )
    with torch.inference_mode(False):  # else a node would read tensors that cannot be trained
        table = tensor.detach().to("cpu", torch.float32, copy=True).contiguous()
    if not table.isfinite().all():
        raise CollageError(f"{what} holds NaN or infinite numbers. Train or download it again.")
    empty = [row for row, vector in enumerate(table, 1) if not vector.any()]
    if empty:
        raise CollageError(
            f"{what} holds nothing but zeros in vector {empty[0]} of {len(table)}. "
            "Train or download it again."
        )
    return table


def describe_vectors(vectors: Vectors) -> tuple[str, ...]:
    """Notes for a report about usable vectors."""
    count = max(len(table) for table in vectors.values())
    if count <= MANY_VECTORS:
        return ()
    return (f"{count} learned vectors are many: beyond {MANY_VECTORS} they drown the other words",)


def write_embedding(path: Path, vectors: Vectors, metadata: Mapping[str, object]) -> None:
    """Write vectors as a file that the common tools read, with metadata in its header.

        write_embedding(path, {"l": torch.ones(2, 768)}, {"collage.steps": 80})

    Raises CollageError for vectors that no tool could use, FileExistsError for an existing file,
    and OSError when the system refuses.
    """
    what = f"The embedding {quoted(path.stem)}"
    tables = {encoder: _table(table, what) for encoder, table in vectors.items()}
    if len(tables) == 1:  # A1111 wants exactly one tensor here
        tensors = {"emb_params": next(iter(tables.values()))}
    else:
        tensors = {f"clip_{encoder}": table for encoder, table in tables.items()}
    by_encoder(tensors, what)
    family = tuple(sorted((encoder, table.shape[1]) for encoder, table in tables.items()))
    strings = {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.implementation": "collage-diffusion",
        "modelspec.title": path.stem,
        "modelspec.trigger_phrase": path.stem,
        "modelspec.date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    if family in ARCHITECTURES:
        strings["modelspec.architecture"] = f"{ARCHITECTURES[family]}/textual-inversion"
    strings |= {key: str(value)[:MAX_METADATA_CHARACTERS] for key, value in metadata.items()}
    write_whole(path, to_bytes(tensors, strings))


def slug_of(phrase: str) -> str:
    """The phrase in 1 to 40 of the characters a to z, 0 to 9, hyphen and underscore."""
    plain = unicodedata.normalize("NFKD", phrase.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:40].strip("-")
    return slug or "layer"
