"""`python3 run.py convert-embedding FILE`: converts a pickled embedding to safetensors.

torch reads the pickle with weights_only, which runs no code in it.
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from collage_core.errors import CollageError, quoted
from collage_core.storage.embedding_file import (
    PICKLES,
    SUFFIX,
    Vectors,
    by_encoder,
    write_embedding,
)

FAMILY = {"g": "SDXL, its second encoder", "gl": "SDXL", "h": "SD2.x"}
SD1_WIDTH = 768


def convert(file: Path, folder: Path) -> str:
    """Write `folder`/NAME.safetensors and return what was done, in a sentence.

    Raises CollageError for what is no embedding, FileExistsError for a name that is taken.
    """
    what = f"The file {quoted(file.name)}"
    if file.suffix.lower() == SUFFIX:
        raise CollageError(f"{what} is safetensors already. Put it into models/embeddings.")
    vectors = by_encoder(dict(_tensors(_load(file, what))), what)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{_name(file)}{SUFFIX}"
    write_embedding(target, vectors, {"modelspec.title": target.stem})
    return (
        f"Wrote {target}: {_described(vectors)}. In models/embeddings it is "
        f"embedding:{target.stem} to every prompt."
    )


def _load(file: Path, what: str) -> Any:
    # Parameters in a ParameterDict is how the first trainers saved theirs.
    allowed = torch.serialization.safe_globals([torch.nn.ParameterDict])
    with open(file, "rb") as pickled, allowed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return torch.load(pickled, map_location="cpu", weights_only=True)
        except Exception as error:  # torch names no class for what a damaged file may raise
            raise CollageError(
                f"{what} is damaged, or holds more than plain tables of numbers, which could be "
                "a program and is not opened. Get the embedding as safetensors from its author."
            ) from error


def _tensors(loaded: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of a file with their keys, for every form that trainers write."""
    if isinstance(loaded, torch.Tensor):
        yield "emb_params", loaded
    elif isinstance(loaded, torch.nn.ParameterDict):
        yield from loaded.named_parameters()
    elif isinstance(loaded, Mapping) and "string_to_param" in loaded:  # A1111 and the paper's
        yield from _tensors(loaded["string_to_param"])
    elif isinstance(loaded, Mapping):  # diffusers: the token and its vector
        tables = {str(key): value for key, value in loaded.items()}
        yield from ((key, table) for key, table in tables.items() if torch.is_tensor(table))
    elif isinstance(loaded, (list, tuple)):  # one entry for each text encoder
        for number, entry in enumerate(loaded, 1):
            yield from ((f"{key} of entry {number}", table) for key, table in _tensors(entry))


def _name(file: Path) -> str:
    """The file's name as a prompt can write it."""
    stem = file.stem if file.suffix.lower() in PICKLES else file.name
    return re.sub(r"[^\w.-]+", "_", stem)[:64]


def _described(vectors: Vectors) -> str:
    count, widths = 0, []
    for table in vectors.values():
        count, width = table.shape
        widths.append(str(width))
    kind = "".join(sorted(vectors))
    family = "SD1.x" if widths == [str(SD1_WIDTH)] else FAMILY.get(kind)
    many = "vector" if count == 1 else "vectors"
    return f"{count} {many} of {' and '.join(widths)} numbers{f', for {family}' if family else ''}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py convert-embedding", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: beside FILE")
    options = parser.parse_args(arguments)
    try:
        print(convert(options.file, options.output or options.file.parent))
    except FileExistsError:
        name = f"{_name(options.file)}{SUFFIX}"
        print(f"There is a {name} already; move it, or choose another --output.", file=sys.stderr)
    except CollageError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"The system refused: {error.strerror or error}.", file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
