"""What of a collage document is refused before a run, and what a run of it depends on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from ..collage_core.errors import CollageError, quoted
from ..collage_core.files.document import NODE, WHERE, Document, DocumentEdit, DocumentLayer
from ..collage_core.files.fields import HASHED
from ..collage_core.prompt.checks import check_prompt
from ..collage_core.prompt.phrases import find_phrases
from ..collage_core.storage.content_key import content_key
from .host.files.embedding_files import file_hash, named_embedding, texts_hash
from .host.files.input_pictures import InputPicture, look_at


def check_document(
    document: Document, linked: Collection[str], where: str = WHERE, node: str = NODE
) -> None:
    """Raise one CollageError for all that would fail in a run: pictures, looks, words.

    linked: the node's inputs that something is connected to; what depends on them is not checked.
    """
    if problems := [*_problems(document, linked)]:
        raise CollageError(f"{where}: " + "\n".join(problems))
    if not {"prompt", "collage"} & {*linked}:
        shown = [(n, one.text) for n, one in enumerate(document.layers, 1) if one.visible]
        find_phrases(document.prompt, shown, node)


def _problems(document: Document, linked: Collection[str]) -> Iterator[str]:
    if not document.layers and "collage" not in linked:
        yield "Document: it has no layers. Add a picture, or connect a stack to collage."
    if "prompt" not in linked:
        yield from _said(lambda: check_prompt(document.prompt, "Document, prompt"), "")
    if document.background_picture and "background_image" not in linked:
        yield from _picture_problem(document.background_picture, "Document: its background picture")
    for number, layer in enumerate(document.layers, 1):
        yield from _layer_problems(layer, f"Layer {number}")
    if document.edit is not None:
        yield from _edit_problems(document, document.edit, linked)


def _layer_problems(layer: DocumentLayer, name: str) -> Iterator[str]:
    if not layer.text.strip():
        yield f"{name}: it has no words. Write what it shows, as the prompt says it."
    else:
        name = f"{name} {quoted(layer.text)}"
        yield from _said(lambda: check_prompt(layer.text, f"{name}, text"), "")
    yield from _said(lambda: check_prompt(layer.negative, f"{name}, negative"), "")
    yield from _picture_problem(layer.picture, f"{name}: its picture")
    if layer.look:
        yield from _said(lambda: named_embedding(layer.look), f"{name}, look: ")


def _edit_problems(
    document: Document, edit: DocumentEdit, linked: Collection[str]
) -> Iterator[str]:
    if not edit.layers and not edit.background:
        yield "Edit: no layer is chosen, so nothing would be drawn anew. Choose one."
    wrong = [*_picture_problem(edit.picture, "Edit: its picture")]
    yield from wrong
    canvas = (document.width, document.height)
    if not wrong and "collage" not in linked and _size(look_at(edit.picture)) != canvas:
        width, height = _size(look_at(edit.picture))
        yield (
            f"Edit: its picture has {width} x {height} pixels, and the canvas has "
            f"{canvas[0]} x {canvas[1]}. Give the canvas the size of the picture."
        )
    for number, layer in enumerate(document.before, 1):
        name = f"Layer {number} {quoted(layer.text)} before the edit"
        yield from _picture_problem(layer.picture, f"{name}: its picture")


def _picture_problem(picture: str, start: str) -> Iterator[str]:
    return _said(lambda: look_at(picture), f"{start} {picture} ")


def _said(attempt: Callable[[], object], start: str) -> Iterator[str]:
    """What a check says, after `start`; nothing if it passes."""
    try:
        attempt()
    except CollageError as error:
        yield f"{start}{error}"


def _size(picture: InputPicture) -> tuple[int, int]:
    return picture.width, picture.height


def files_key(document: Document, prompt: str | None) -> str:
    """Hash of the files that the document's text alone does not determine.

    prompt: of the node, "" where none is connected and None where it is not known yet.
    """
    every = [*document.layers, *document.before]
    names = {layer.picture for layer in every} | {document.background_picture}
    names |= {document.edit.picture} if document.edit else set()
    return content_key(
        pictures={name: _sha256(name) for name in names if name and not HASHED.fullmatch(name)},
        looks={layer.look: file_hash(layer.look) for layer in every if layer.look},
        texts=texts_hash(
            prompt, document.prompt, *(words for one in every for words in (one.text, one.negative))
        ),
    )


def _sha256(name: str) -> str:
    try:
        return look_at(name).sha256
    except CollageError:
        return "absent"
