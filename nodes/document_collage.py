"""From a collage document to a Collage: its pictures and embeddings are found and read here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from ..collage_core.collage.collage import BACKGROUND, Collage, Written
from ..collage_core.collage.layer import Layer
from ..collage_core.collage.report import describe_collage
from ..collage_core.collage.stack import new_canvas, on_top_of
from ..collage_core.editing.edit import edit_layers
from ..collage_core.editing.request import Choice, EditRequest
from ..collage_core.editing.split import split_bytes
from ..collage_core.errors import quoted
from ..collage_core.files.document import NODE, Document, DocumentEdit, DocumentLayer
from ..collage_core.imaging.pixels import clean_pixels
from ..collage_core.storage.embedding_file import describe_vectors
from .host.files.embedding_files import named_embedding
from .host.files.input_pictures import look_at, read_picture
from .host.limits import check_room
from .stack_sockets import stacked

MOST_UNKNOWN = 8  # keys that a report lists
# a layer whose place or pixels have changed since the picture was made
PLACE = ("picture", "x", "y", "scale", "fit", "rotation", "flip")
BYTES_PER_PIXEL = 24  # of a picture while it is read: 4 channels, and an alpha twice


@dataclass(frozen=True)
class _Reader:
    """Reads every picture once, however many layers show it."""

    read: dict[str, tuple[torch.Tensor, tuple[str, ...]]] = field(default_factory=dict)

    def pixels(self, name: str) -> tuple[torch.Tensor, tuple[str, ...]]:
        if name not in self.read:
            self.read[name] = read_picture(name)
        return self.read[name]

    def layer(self, one: DocumentLayer) -> Layer:
        picture, notes = self.pixels(one.picture)
        image, alpha, limited = clean_pixels(picture, None, f"{NODE} {quoted(one.text)}")
        look = named_embedding(one.look) if one.look else None
        many = describe_vectors(look.vectors) if look else ()
        return Layer(
            image=image,
            alpha=alpha,
            text=one.text,
            embedding=look,
            notes=(*notes, *limited, *many),
            **one.settings,
        )


def collage_of(
    document: Document,
    prompt: str,
    picture: torch.Tensor | None = None,
    below: Collage | None = None,
    node: str = NODE,
    notes: tuple[str, ...] = (),
) -> tuple[Collage, str]:
    """The collage of a document that `check_document` has passed, and its report.

    picture: [B, h, w, 3 or 4] in place of the document's background, or None; below: the stack
    that the layers lie on, or None; notes: more for the report. Raises CollageError in the name
    of `node` where memory, batches or words do not fit.
    """
    _check_room(document, node)
    alone = picture is None and below is None and prompt == document.prompt
    size, reader = (document.width, document.height), _Reader()
    if below is None:
        canvas = new_canvas(*size, document.background, node)
    else:
        canvas = on_top_of(below, *size, document.background, node)
    if picture is None and document.background_picture:
        picture, _ = reader.pixels(document.background_picture)
    layers = [reader.layer(one) for one in document.layers]
    stack = stacked(canvas, prompt, layers, picture, document.background)
    stack = replace(stack, notes=(*stack.notes, *_unknown(document), *notes))
    said = ""
    if document.edit is not None:
        stack, said = _edited(stack, document, document.edit, reader)
    if alone:
        stack = replace(stack, written=_written(document.text, stack))
    return stack, f"{describe_collage(stack)}\n\n{said}" if said else describe_collage(stack)


def _written(text: str, stack: Collage) -> Written:
    return Written(
        text=text,
        prompt=stack.prompt,
        layers=stack.layers,
        background=stack.background,
        edit=stack.edit,
    )


def _check_room(document: Document, node: str) -> None:
    """Before any picture is decoded, because files are much smaller than what is in them."""
    names = {layer.picture for layer in (*document.layers, *document.before)}
    pixels = sum(one.width * one.height for one in map(look_at, names))
    what = f"reading {len(names)} pictures of {pixels / 1e6:.0f} megapixels together"
    check_room(node, what, BYTES_PER_PIXEL * pixels, torch.device("cpu"))


def _unknown(document: Document) -> list[str]:
    more = len(document.unknown) - MOST_UNKNOWN
    return [
        *document.unknown[:MOST_UNKNOWN],
        *([f"{more} more keys are unknown and change nothing."] if more > 0 else []),
    ]


def _edited(
    stack: Collage, document: Document, what: DocumentEdit, reader: _Reader
) -> tuple[Collage, str]:
    """The stack as CollageEdit gives it out, and the lines of its report."""
    first = len(stack.layers) - len(document.layers) + 1
    picture, _ = reader.pixels(what.picture)
    previous = None
    if what.before is not None:
        words, old = what.before
        layers = [reader.layer(one).to(stack.background.device) for one in old]
        previous = replace(
            stack, prompt=words or stack.prompt, layers=(*stack.layers[: first - 1], *layers)
        )
        room = f"taking {len(previous.shown)} layers of the picture apart"
        check_room(NODE, room, split_bytes(previous, len(picture)), picture.device)
    choice = _choice(document.layers, what, first)
    request = EditRequest(
        layers=", ".join(map(str, choice.chosen)),
        noise=what.noise,
        feather=what.feather,
        previous=previous,
        node=f"{NODE}, edit of the document",
    )
    edited, _, said = edit_layers(stack, picture, request, choice)
    return edited, said


def _choice(layers: tuple[DocumentLayer, ...], what: DocumentEdit, first: int) -> Choice:
    """Which layers are drawn anew, pasted, and taken away from where they were; `first` is the
    number of the document's lowest layer."""

    def shown(some: tuple[DocumentLayer, ...]) -> dict[str, tuple[int, DocumentLayer]]:
        return {one.id: (n, one) for n, one in enumerate(some, first) if one.visible}

    now, then = shown(layers), shown(what.before[1] if what.before else ())
    chosen = {name: now[name][0] for name in what.layers if name in now}
    same = {
        name
        for name in chosen
        if what.before is None
        or (
            name in then
            and all(getattr(now[name][1], part) == getattr(then[name][1], part) for part in PLACE)
        )
    }
    return Choice(
        chosen=tuple(sorted({*chosen.values(), *([BACKGROUND] if what.background else [])})),
        pasted=tuple(sorted(number for name, number in chosen.items() if name not in same)),
        removed=tuple(sorted({then[name][0] for name in {*what.layers} & then.keys() - same})),
    )
