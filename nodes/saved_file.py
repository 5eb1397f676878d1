"""Any collage as a document with its pictures, to be written into one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO, TypeVar

import torch

from ..collage_core.collage.collage import Collage
from ..collage_core.collage.layer import Layer
from ..collage_core.collage.limits import CANVAS, LAYER_OPTIONS, LAYER_RANGES
from ..collage_core.errors import CollageError, quoted
from ..collage_core.files.collage_file import write_collage_file
from ..collage_core.files.document import DocumentLayer, read_document
from ..collage_core.files.fields import FOLDER, HASHED, VERSION
from ..collage_core.files.writing import picture_names, renamed, written
from ..collage_core.imaging.colour import GREY, parse_colour
from .host.files.embedding_files import embedding_names
from .host.files.input_files import file_key
from .host.files.input_pictures import picture_bytes, picture_path, png_of

NODE = "CollageSaveFile"
COLLAGE = f"{NODE}, input collage"
BYTE_ERROR = 1e-3  # of a level, which floats of 8-bit pixels may have
T = TypeVar("T")


@dataclass(frozen=True)
class Saved:
    """A document, its pictures by their names in it, and what is to be known about it."""

    text: str
    notes: tuple[str, ...]
    made: dict[str, bytes] = field(default_factory=dict, repr=False)
    kept: dict[str, str] = field(default_factory=dict)  # name in the file -> in input
    preview: bytes = field(default=b"", repr=False)

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """One picture at a time: those of the input folder are read when they are written."""
        yield from self.made.items()
        for name, source in self.kept.items():
            yield name, _named(source, picture_bytes)

    def write(self, file: BinaryIO) -> None:
        try:
            write_collage_file(file, self.text, self.pictures(), self.preview)
        except CollageError as error:
            raise CollageError(f"{COLLAGE}: {error}") from error


def saved(collage: Collage) -> Saved:
    """The document that a collage was read from, or one that says the same.

    Raises CollageError for a collage that no document can hold.
    """
    try:
        one = _as_read(collage.document) if collage.document is not None else _as_it_is(collage)
        document = read_document(one.text)
    except CollageError as error:
        raise CollageError(f"{COLLAGE}: {error}") from error
    looks = [layer for layer in (*document.layers, *document.before) if layer.look]
    notes = (*one.notes, *_look_notes(looks), *_lora_notes(collage))
    return Saved(one.text, notes, one.made, one.kept)


def _look_notes(layers: list[DocumentLayer]) -> list[str]:
    return [
        f"The file does not hold the look of layer {quoted(layer.text)}: pass on the file "
        f"{layer.look} of models/embeddings, too."
        for layer in layers
    ]


def _lora_notes(collage: Collage) -> list[str]:
    return [
        f"The file does not hold the LoRA {quoted(lora.name)} of layer {quoted(layer.text)}: give "
        "it to the layer again with Collage Layer LoRA."
        for layer in collage.layers
        for lora in layer.loras
    ]


def _as_read(text: str) -> Saved:
    """The document with every picture under its hash; byte for byte where all of them are."""
    document, names, notes = read_document(text), {}, []
    needed = {layer.picture for layer in (*document.layers, *document.before)}
    needed |= {document.background_picture, document.edit.picture if document.edit else ""}
    for name in picture_names(document):
        names[name] = _hashed(name) if name in needed else _hashed_or_gone(name, notes)
    kept = {new: old for old, new in names.items() if new}
    return Saved(renamed(text, names), tuple(notes), {}, kept)


def _named(name: str, read: Callable[[str], T]) -> T:
    """What is read of a picture; what goes wrong is told with its name."""
    try:
        return read(name)
    except CollageError as error:
        raise CollageError(f"its picture {name} {error}") from error


def _hashed_or_gone(name: str, notes: list[str]) -> str:
    try:
        return _hashed(name)
    except CollageError:
        notes.append(f"The picture {name} from before a cut-out is gone.")
        return ""


def _hashed(name: str) -> str:
    path = _named(name, picture_path)
    if HASHED.fullmatch(name):
        return name
    return f"{FOLDER}/{file_key(path)}{PurePosixPath(name).suffix.lower()}"


def _as_it_is(collage: Collage) -> Saved:
    """Layers of a graph: their pixels become PNGs, their settings keep every digit."""
    if collage.edit is not None:
        raise CollageError(
            "it continues a finished picture, as Collage Edit makes it, which a file "
            "holds only as Collage Editor wrote it. Connect the collage from before the edit."
        )
    low, high = CANVAS
    if not low <= min(collage.width, collage.height) <= max(collage.width, collage.height) <= high:
        raise CollageError(
            f"its canvas has {collage.width} x {collage.height} pixels, and a file holds sides "
            f"from {low} to {high}. Change the size with Collage Resize."
        )
    made: dict[str, bytes] = {}
    notes: list[str] = []
    values = {
        "version": VERSION,
        "width": collage.width,
        "height": collage.height,
        **_background(collage, made, notes),
        "prompt": collage.prompt,
        "layers": [_layer(n, layer, made, notes) for n, layer in enumerate(collage.layers, 1)],
    }
    return Saved(written(values), tuple(notes), made)


def _layer(
    number: int, layer: Layer, made: dict[str, bytes], notes: list[str]
) -> dict[str, object]:
    name = f"layer {number} {quoted(layer.text)}"
    one_picture(layer.batch, name)
    height, width = layer.alpha.shape[1:]
    pixels = torch.cat([layer.image, layer.alpha.unsqueeze(-1)], -1)[0]
    return {
        "id": f"layer{number}",
        "picture": _kept(pixels, name, made, notes),
        "size": [width, height],
        "text": layer.text,
        "negative": layer.negative,
        **{one: getattr(layer, one) for one in (*LAYER_RANGES, *LAYER_OPTIONS, "visible")},
        "look": _look(layer, name),
    }


def one_picture(batch: int, name: str) -> None:
    if batch > 1:
        raise CollageError(
            f"{name} has {batch} pictures, and a file holds one of each. Choose one "
            "with Image From Batch before Collage Layer."
        )


def _kept(pixels: torch.Tensor, what: str, made: dict[str, bytes], notes: list[str]) -> str:
    try:
        name, data = png_of(pixels)
    except CollageError as error:
        raise CollageError(f"{what} {error}") from error
    made[name] = data
    if not _in_bytes(pixels):
        notes.append(f"The pixels of {what} were rounded to 8 bits.")
    return name


def _in_bytes(pixels: torch.Tensor) -> bool:
    """Whether an 8-bit file holds these values in [0, 1] as they are."""
    levels = pixels * 255
    return bool((levels - levels.round()).abs().amax() < BYTE_ERROR)


def _background(collage: Collage, made: dict[str, bytes], notes: list[str]) -> dict[str, str]:
    """A colour, or a picture in its own size, which other sizes of the canvas are cut from."""
    background = collage.background
    one_picture(len(background), "the background")
    first = [round(value * 255) for value in background[0, 0, 0].tolist()]
    colour = "#" + bytes(first).hex()
    if (background == parse_colour(colour, NODE).to(background)).all():
        return {"background": colour, "background_picture": ""}
    picture = background if collage.source is None else collage.source
    name = _kept(picture[0], "the background", made, notes)
    return {"background": GREY, "background_picture": name}


def _look(layer: Layer, name: str) -> str:
    """The name that documents have for an embedding: that of its file in models/embeddings."""
    if layer.embedding is None:
        return ""
    wanted = layer.embedding.name
    found = [one for one in embedding_names() if one.replace("\\", "/").split("/")[-1] == wanted]
    if not found:
        raise CollageError(
            f"the embedding {quoted(wanted)} of {name} has no file in "
            "models/embeddings. Put the file back, or save the collage without it."
        )
    return found[0]
