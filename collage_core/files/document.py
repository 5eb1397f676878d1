"""The collage document: a whole collage as one JSON text, which CollageEditor holds.

The reader is strict: it names every layer and field that is wrong at once, and never repairs.
`web/editor/document.mjs` reads the same documents and says the same sentences.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..collage.limits import LAYER_OPTIONS, LAYER_RANGES, MAX_LAYERS
from ..errors import CollageError, quoted
from .fields import (
    BEFORE_FIELDS,
    DOCUMENT_FIELDS,
    EDIT_FIELDS,
    LAYER_FIELDS,
    REQUIRED,
    VERSION,
    Field,
    shown,
)

NODE = "CollageEditor"
WHERE = f"{NODE}, input document"
MAX_BYTES = 256 * 1024
NO_OBJECT = "The document is not a JSON object. Copy the whole of it, from { to }."

Json = dict[str, Any]
# version -> a pure function that makes a document of the next version out of one of this version
STEPS: dict[int, Callable[[Json], Json]] = {}


@dataclass(frozen=True, kw_only=True)
class DocumentLayer:
    """One layer as the document has it; `original` is the picture before a cut-out ("from")."""

    id: str
    picture: str
    size: tuple[int, int] | None
    text: str
    negative: str
    x: float
    y: float
    scale: float
    fit: str
    rotation: float
    flip: str
    blend: str
    opacity: float
    visible: bool
    noise: float
    attract: float
    repel: float
    control: float
    look: str
    locked: bool
    original: str

    @property
    def settings(self) -> dict[str, Any]:
        """All that a Layer of `collage` takes beside its pixels and the words that name it."""
        more = ("visible", "negative")
        return {name: getattr(self, name) for name in (*LAYER_RANGES, *LAYER_OPTIONS, *more)}


@dataclass(frozen=True, kw_only=True)
class DocumentEdit:
    """A finished picture as the base, and what of it is drawn anew.

    layers: ids of layers, and of such as only `before` has, which are taken out of the picture.
    before: prompt and layers that the picture was made of, None where that is not known.
    """

    picture: str
    layers: tuple[str, ...]
    background: bool
    noise: float
    feather: float
    before: tuple[str, tuple[DocumentLayer, ...]] | None


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document that keeps all rules. `unknown` has a sentence for every key that has no meaning.

    text: what it was read from.
    Example: read_document('{"version": 1, "prompt": "a lemon"}').width  # 512
    """

    width: int
    height: int
    background: str
    background_picture: str
    prompt: str
    layers: tuple[DocumentLayer, ...]
    edit: DocumentEdit | None
    unknown: tuple[str, ...] = ()
    text: str = ""

    @property
    def before(self) -> tuple[DocumentLayer, ...]:
        """The layers from before the edit, if there is one."""
        return self.edit.before[1] if self.edit and self.edit.before else ()


def read_document(text: str) -> Document:
    """Read a document; an empty text is an empty collage. Raises one CollageError for all faults.

    Limits: 256 KiB of UTF-8, 64 layers. Pictures and embeddings are not looked for here.
    """
    reader = _Reader()
    document = reader.document(_parsed(text))
    if document is None or reader.problems:
        raise _refused(*reader.problems)
    return replace(document, text=text)


def _refused(*problems: str) -> CollageError:
    return CollageError(f"{WHERE}: " + "\n".join(problems))


def _parsed(text: str) -> Json:
    """The JSON object of a text, of the version that this reader knows."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _refused("The document has more than 256 KiB. Remove layers or shorten texts.")
    if not text.strip():
        return {"version": float(VERSION)}
    try:  # numbers as in JavaScript, where every one is a float
        raw = json.loads(text, parse_int=float, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _refused(NO_OBJECT) from error
    if not isinstance(raw, dict):
        raise _refused(NO_OBJECT)
    return _of_this_version(raw)


def _no_number(name: str) -> float:
    raise ValueError(name)


def _of_this_version(raw: Json) -> Json:
    version = raw.get("version")
    if not isinstance(version, float) or not version.is_integer() or version < 1:
        found = shown(version) if "version" in raw else "missing"
        raise _refused(f"Document: version is {found}. Write {VERSION}.")
    if version > VERSION:
        raise _refused(
            "This collage was made by a newer version of the pack (document version "
            f"{shown(version)}, this one reads {VERSION}). Update the pack."
        )
    for step in range(int(version), VERSION):
        raw = {**STEPS[step](raw), "version": float(step + 1)}
    return raw


class _Reader:
    """Reads part by part, and collects what is wrong and what is unknown."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.unknown: list[str] = []

    def document(self, raw: Json) -> Document | None:
        values = self._values(raw, DOCUMENT_FIELDS, "Document")
        layers = self._layers(values["layers"], "")
        edit = None if values["edit"] is None else self._edit(values["edit"], layers)
        if self.problems:
            return None
        return Document(
            width=int(values["width"]),
            height=int(values["height"]),
            background=values["background"],
            background_picture=values["background_picture"],
            prompt=values["prompt"],
            layers=layers,
            edit=edit,
            unknown=tuple(self.unknown),
        )

    def _values(self, raw: Json, fields: dict[str, Field], where: str) -> Json:
        """The values of all fields, with defaults for those that are missing or wrong."""
        values = {}
        for name, field in fields.items():
            values[name] = field.default
            if name in raw and field.accepts(raw[name]):
                values[name] = raw[name]
            elif name in raw or field.default is REQUIRED:
                found = shown(raw[name]) if name in raw else "missing"
                self.problems.append(f"{where}: {name} is {found}. {field.remedy}")
        self.unknown += [
            f"{where}: the key {quoted(name)} is unknown and changes nothing."
            for name in raw
            if name not in fields
        ]
        return values

    def _layers(self, raw: list[Any], when: str) -> tuple[DocumentLayer, ...]:
        """The layers without those that are wrong; `when` ends their names in messages."""
        if len(raw) > MAX_LAYERS:
            self.problems.append(
                f"Document: it has {len(raw)} layers{when}. Use at most {MAX_LAYERS}."
            )
            return ()
        layers = [self._layer(one, number, when) for number, one in enumerate(raw, 1)]
        first: dict[str, int] = {}
        for number, layer in enumerate(layers, 1):
            if layer is not None and first.setdefault(layer.id, number) != number:
                self.problems.append(
                    f"Layer {number}{when}: id is {quoted(layer.id)}, as that of layer "
                    f"{first[layer.id]}. Give each layer its own."
                )
        return tuple(layer for layer in layers if layer is not None)

    def _layer(self, raw: Any, number: int, when: str) -> DocumentLayer | None:
        if not isinstance(raw, dict):
            self.problems.append(f"Layer {number}{when} is {shown(raw)}. Write an object.")
            return None
        text = raw.get("text")
        words = f" {quoted(text)}" if isinstance(text, str) and text else ""
        before = len(self.problems)
        values = self._values(raw, LAYER_FIELDS, f"Layer {number}{words}{when}")
        if len(self.problems) > before:
            return None
        size = values.pop("size")
        return DocumentLayer(
            size=None if size is None else (int(size[0]), int(size[1])),
            original=values.pop("from"),
            **values,
        )

    def _edit(self, raw: Json, layers: tuple[DocumentLayer, ...]) -> DocumentEdit:
        values = self._values(raw, EDIT_FIELDS, "Edit")
        before = None
        if values["before"] is not None:
            old = self._values(values["before"], BEFORE_FIELDS, "Before the edit")
            before = (old["prompt"], self._layers(old["layers"], " before the edit"))
        known = {layer.id for layer in (*layers, *(before[1] if before else ()))}
        self.problems += [
            f"Edit: layers has {shown(one)}, which is no layer's id. Write ids of layers."
            for one in ([] if self.problems else values["layers"])
            if not isinstance(one, str) or one not in known
        ]
        names = tuple(one for one in values["layers"] if isinstance(one, str))
        return DocumentEdit(**{**values, "layers": names, "before": before})
