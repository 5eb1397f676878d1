"""Collage documents as text: written from values, or with other names of pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .document import Document
from .fields import BEFORE_FIELDS, DOCUMENT_FIELDS, EDIT_FIELDS, LAYER_FIELDS, Field

Json = dict[str, Any]
CANVAS, EDIT, LAYER = ("background_picture",), ("picture",), ("picture", "from")  # name pictures


def picture_names(document: Document) -> tuple[str, ...]:
    """Every picture that a document names, once, those from before a cut-out included."""
    names = [document.background_picture, document.edit.picture if document.edit else ""]
    for layer in (*document.layers, *document.before):
        names += [layer.picture, layer.original]
    return tuple(dict.fromkeys(filter(None, names)))


def written(values: Json) -> str:
    """A document as text, as the page writes it; unknown keys stay behind those that are known.

    Numbers keep all their digits, so that the same picture is painted to the bit.
    """
    values = _ordered(values, DOCUMENT_FIELDS)
    if "edit" in values:
        values["edit"] = _ordered(values["edit"], EDIT_FIELDS)
    return json.dumps(_plain(values), ensure_ascii=False, separators=(",", ":"))


def _ordered(values: Json, fields: Mapping[str, Field]) -> Json:
    values = {**{name: values[name] for name in fields if name in values}, **values}
    if "layers" in values and fields is not EDIT_FIELDS:
        values["layers"] = [_ordered(layer, LAYER_FIELDS) for layer in values["layers"]]
    if isinstance(values.get("before"), dict):
        values["before"] = _ordered(values["before"], BEFORE_FIELDS)
    return values


def _plain(value: Any) -> Any:
    """Whole numbers without a point, as JavaScript writes them."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A valid document whose pictures have other names; the same text where none of them has.

    names: old name -> new name, "" for a picture from before a cut-out that is gone.
    """
    if all(old == new for old, new in names.items()):
        return text
    values = json.loads(text)
    edit = values.get("edit", {})
    before = (edit.get("before") or {}).get("layers", [])
    layers = [*values.get("layers", []), *before]
    for holder, keys in ((values, CANVAS), (edit, EDIT), *((layer, LAYER) for layer in layers)):
        for key in filter(holder.get, keys):
            holder[key] = names[holder[key]]
    return written(values)
