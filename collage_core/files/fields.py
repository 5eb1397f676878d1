"""What each key of a collage document may hold, and the sentence that says so.

`web/editor/document.mjs` has the same tables; `tests/documents/fields.json` holds both to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ..collage.limits import CANVAS, CELL, LAYER_OPTIONS, LAYER_RANGES
from ..errors import quoted
from ..prompt.checks import LONGEST_PROMPT

VERSION = 1
REQUIRED: Any = object()  # the default of a key that has to be there
LONGEST_NAME = 255
# a folder never begins with a dot, so that no name leads out of the input folder
PICTURE = re.compile(
    r'(?:(?!\.)[^\x00-\x1f\\/:*?"<>|]+/)*(?!\.)[^\x00-\x1f\\/:*?"<>|]+\.(?:png|jpe?g|webp)', re.I
)

FOLDER = "collage"  # in the input folder: pictures whose names say what they hold
HASHED = re.compile(FOLDER + r"/([0-9a-f]{64})\.(?:png|jpe?g|webp)")


@dataclass(frozen=True)
class Field:
    """accepts: whether a value read from JSON may stand here; remedy: what to write instead.

    Numbers arrive as float. A key that is missing has the default.
    Example: Field(lambda value: value is True, "Write true.", default=True)
    """

    accepts: Callable[[Any], bool]
    remedy: str
    default: Any = REQUIRED


def shown(value: Any) -> str:
    """A value of JSON in a message."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return _number_shown(value)
    return "a list" if isinstance(value, list) else "an object"


def _number_shown(value: float) -> str:
    if not isfinite(value):
        return "too large a number"
    short = float(f"{value:.6g}")
    return str(int(short)) if short.is_integer() else str(short)


def _is_text(value: Any, longest: int = LONGEST_PROMPT) -> bool:
    """No longer than that, and without half characters (lone surrogates)."""
    return (
        isinstance(value, str)
        and len(value) <= longest
        and not any("\ud800" <= char <= "\udfff" for char in value)
    )


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, float) and low <= value <= high and value.is_integer()


def _is_size(value: Any) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and all(_is_whole(n, 1, 2**26) for n in value)
    )


def is_picture(value: Any) -> bool:
    return _is_text(value, LONGEST_NAME) and PICTURE.fullmatch(value) is not None


def _number(low: float, high: float, default: float) -> Field:
    return Field(
        lambda value: isinstance(value, float) and low <= value <= high,
        f"Enter a number from {low:g} to {high:g}.",
        default,
    )


def _ranged(name: str, default: float) -> Field:
    return _number(*LAYER_RANGES[name], default)


def _option(name: str) -> Field:
    choices = LAYER_OPTIONS[name]
    return Field(
        lambda value: isinstance(value, str) and value in choices,
        f"Choose one of {', '.join(choices)}.",
        choices[0],
    )


def _text(default: str = "") -> Field:
    return Field(_is_text, f"Write a text of at most {LONGEST_PROMPT} characters.", default)


def _picture(default: Any) -> Field:
    return Field(
        lambda value: is_picture(value) or value == default,
        "Name a PNG, JPEG or WEBP file of ComfyUI's input folder.",
        default,
    )


def _switch(*, default: bool) -> Field:
    return Field(lambda value: isinstance(value, bool), "Write true or false.", default)


def _side(default: int) -> Field:
    low, high = CANVAS
    return Field(
        lambda value: _is_whole(value, low, high) and value % CELL == 0,
        f"Enter a multiple of {CELL} from {low} to {high}.",
        float(default),
    )


def _list(default: Any = REQUIRED) -> Field:
    return Field(lambda value: isinstance(value, list), "Write a list.", default)


IDENTITY = Field(
    lambda value: (
        isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{4,12}", value) is not None
    ),
    "Give it 4 to 12 letters, digits, - or _.",
)
SIZE = Field(
    lambda value: value is None or _is_size(value),
    "Write width and height in pixels, such as [900, 700].",
    None,
)
LOOK = Field(
    lambda value: _is_text(value, LONGEST_NAME),
    f"Write the name of an embedding, of at most {LONGEST_NAME} characters.",
    "",
)

LAYER_FIELDS = {
    "id": IDENTITY,
    "picture": _picture(REQUIRED),
    "size": SIZE,
    "text": _text(),
    "negative": _text(),
    "x": _ranged("x", 0.5),
    "y": _ranged("y", 0.5),
    "scale": _ranged("scale", 1.0),
    "fit": _option("fit"),
    "rotation": _ranged("rotation", 0.0),
    "flip": _option("flip"),
    "blend": _option("blend"),
    "opacity": _ranged("opacity", 1.0),
    "visible": _switch(default=True),
    "noise": _ranged("noise", 0.6),
    "attract": _ranged("attract", 0.3),
    "repel": _ranged("repel", 0.5),
    "control": _ranged("control", 1.0),
    "look": LOOK,
    "locked": _switch(default=False),
    "from": _picture(""),
}
DOCUMENT_FIELDS = {
    "version": Field(lambda value: value == VERSION, f"Write {VERSION}.", float(VERSION)),
    "width": _side(512),
    "height": _side(512),
    "background": Field(
        lambda value: (
            isinstance(value, str) and re.fullmatch(r"#(?:[0-9a-fA-F]{3}){1,2}", value) is not None
        ),
        "Write a colour such as #969696.",
        "#969696",
    ),
    "background_picture": _picture(""),
    "prompt": _text(),
    "layers": _list([]),
    "edit": Field(lambda value: isinstance(value, dict), "Write an object or leave it out.", None),
}
EDIT_FIELDS = {
    "picture": _picture(REQUIRED),
    "layers": _list([]),
    "background": _switch(default=False),
    "noise": _number(0, 1, 0.6),
    "feather": _number(0, 512, 10.0),
    "before": Field(
        lambda value: isinstance(value, dict), "Write an object or leave it out.", None
    ),
}
BEFORE_FIELDS = {"prompt": _text(), "layers": _list([])}
