"""What an input of each type accepts: one table for all nodes of the pack.

The table makes sure that a value is of its type, holds numbers and can be read. Shapes and sizes
that only one node needs are checked where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import torch

from ..collage_core.collage.collage import Collage
from ..collage_core.collage.layer import Layer
from ..collage_core.errors import CollageError, quoted
from ..collage_core.imaging.colour import parse_colour
from ..collage_core.prompt.checks import LONGEST_PROMPT

MAX_PRINTED_NUMBER = 10**30


@dataclass(frozen=True)
class Kind:
    """fault: what is wrong with a value, to end "input NAME: ..."; "" if nothing is.

    remedy: the sentence that follows. Example: Kind(_whole, "Enter a whole number.")
    """

    fault: Callable[[Any], str]
    remedy: str


def shown(value: Any) -> str:
    """A value in a few words, whatever it is."""
    if value is None:
        return "nothing arrived (None)"
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {list(value.shape)}"
    if isinstance(value, (list, tuple, dict)):
        return f"an empty {type(value).__name__}" if not value else f"a {type(value).__name__}"
    return number(value) if isinstance(value, Real) else f"a {type(value).__name__}"


def number(value: Real) -> str:
    """A number in its shortest form."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        return f"{value}" if isinstance(value, bool) else f"{float(value):g}"
    return f"{value}" if abs(int(value)) < MAX_PRINTED_NUMBER else "a number of more than 30 digits"


def _not(value: Any, kind: str) -> str:
    return shown(value) if value is None else f"{shown(value)} is no {kind}"


def _instance(kind: str, cls: type) -> Callable[[Any], str]:
    return lambda value: "" if isinstance(value, cls) else _not(value, kind)


def _having(kind: str, *names: str) -> Callable[[Any], str]:
    """Duck typing, because other packs have model classes of their own."""
    return lambda value: "" if all(hasattr(value, n) for n in names) else _not(value, kind)


def _pixels(kind: str) -> Callable[[Any], str]:
    def fault(value: Any) -> str:
        if not isinstance(value, torch.Tensor):
            return _not(value, kind)
        if value.is_floating_point() or value.dtype is torch.bool:
            return ""
        dtype = str(value.dtype).removeprefix("torch.")
        return f"it holds {dtype} numbers, but the values of {kind} are fractions from 0 to 1"

    return fault


def _latent(value: Any) -> str:
    if not isinstance(value, dict) or "samples" not in value:
        return _not(value, "LATENT")
    if getattr(value["samples"], "is_nested", False):
        return ""  # of several parts: the node that cannot use it says so
    if (mask := value.get("noise_mask")) is not None and (fault := _numbers("noise_mask", mask)):
        return fault
    return _numbers("samples", value["samples"])


def _conditioning(value: Any) -> str:
    if not isinstance(value, list):
        return _not(value, "CONDITIONING")
    if not value:
        return "an empty list has no prompt in it"
    for entry in value:
        pair = isinstance(entry, (list, tuple)) and len(entry) == 2
        if not pair or not isinstance(entry[1], dict):
            return "a list without pairs of features and settings is no CONDITIONING"
        if fault := _numbers("features", entry[0]):
            return fault
    return ""


def _numbers(name: str, part: Any) -> str:
    """What is wrong with a tensor inside of a value."""
    if not isinstance(part, torch.Tensor):
        found = "missing" if part is None else shown(part)
        return f"its {name} must be a tensor: {found}"
    if not part.numel() or not part.is_floating_point():
        return f"its {name} are {shown(part)} and type {part.dtype}, without numbers to work on"
    return "" if part.isfinite().all() else f"its {name} hold NaN or infinite values"


def _any_text(value: Any) -> str:
    if not isinstance(value, str):
        return _not(value, "text")
    if any("\ud800" <= char <= "\udfff" for char in value):
        return f"{quoted(value)} holds half a character (a lone surrogate)"
    return ""


def _text(value: Any) -> str:
    if fault := _any_text(value):
        return fault
    if len(value) > LONGEST_PROMPT:  # no text of a node is longer than a prompt
        return f"{quoted(value)} has {len(value)} characters, more than {LONGEST_PROMPT}"
    return ""


def _colour(value: Any) -> str:
    if fault := _text(value):
        return fault
    try:
        parse_colour(value, "")
    except CollageError:
        return f"{quoted(value)} is not a colour"
    return ""


def _layers(value: Any) -> str:
    whole = isinstance(value, dict) and isinstance(value.get("layers"), list)
    return "" if whole else _not(value, "LAYERS")


def _whole(value: Any) -> str:
    real = isinstance(value, Real) and not isinstance(value, bool)
    whole = isinstance(value, Integral) or (real and float(value).is_integer())
    return "" if real and whole else _not(value, "whole number")


def _real(value: Any) -> str:
    real = isinstance(value, Real) and not isinstance(value, bool)
    return "" if real else _not(value, "number")


KINDS = {
    "IMAGE": Kind(_pixels("IMAGE"), "Connect an IMAGE such as Load Image's."),
    "MASK": Kind(_pixels("MASK"), "Connect a MASK such as Load Image's."),
    "LATENT": Kind(_latent, "Connect the LATENT of a sampler or of VAE Encode."),
    "CONDITIONING": Kind(_conditioning, "Connect the CONDITIONING of a text encoder."),
    "MODEL": Kind(
        _having("diffusion model", "model", "clone", "get_model_object"),
        "Connect the MODEL output of a checkpoint or diffusion model loader.",
    ),
    "CLIP": Kind(
        _having("text encoder", "tokenize", "encode_from_tokens_scheduled"),
        "Connect the CLIP of the checkpoint, or a CLIP loader where it holds none.",
    ),
    "VAE": Kind(
        _having("VAE", "encode", "decode"),
        "Connect the VAE of the checkpoint, or Load VAE where it holds none.",
    ),
    "CONTROL_NET": Kind(
        _having("control network", "copy", "set_cond_hint"),
        "Connect the output of Load ControlNet Model.",
    ),
    "COLLAGE": Kind(_instance("COLLAGE", Collage), "Connect the collage of Collage Stack."),
    "COLLAGE_LAYER": Kind(_instance("COLLAGE_LAYER", Layer), "Connect the layer of Collage Layer."),
    "LAYERS": Kind(_layers, "Connect the layers of ComfyUI's Add Layer."),
    "BOUNDING_BOX": Kind(
        lambda value: "" if isinstance(value, (dict, list, tuple)) else _not(value, "box"),
        "Connect Bounding Box.",
    ),
    "COLLAGE_DOCUMENT": Kind(_any_text, "Write the document that Collage Editor holds."),
    "STRING": Kind(_text, "Write or connect a text."),
    "COLOR": Kind(_colour, "Write it as #969696."),
    "COMBO": Kind(_text, "Choose one of the list."),
    "BOOLEAN": Kind(_instance("switch (true or false)", bool), "Connect true or false."),
    "INT": Kind(_whole, "Enter a whole number."),
    "FLOAT": Kind(_real, "Enter a number."),
}
