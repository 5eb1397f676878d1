"""Which layers of a collage a text field names, by number or by text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import islice

from ..errors import CollageError, quoted
from ..imaging.pixels import VISIBLE_ALPHA
from ..prompt.phrases import LETTERS_COMPARED
from ..prompt.syntax import word_keys
from .collage import BACKGROUND, Collage
from .layer import Layer

MOST_LISTED = 8  # layers or problems in one message
BACKGROUND_TEXT = "background"
# signs and digits as Chinese and Japanese keyboards type them: , : ; and two commas, 0 to 9
FULL_WIDTH = {"\uff0c": ",", "\u3001": ",", "\uff1a": ":", "\uff1b": ";"}
FULL_WIDTH |= {chr(0xFF10 + digit): str(digit) for digit in range(10)}
PLAIN = str.maketrans(FULL_WIDTH)


def plain_signs(text: str) -> str:
    """A text field with , : ; and digits in ASCII, however they were typed; as long as before."""
    return text.translate(PLAIN)


def _key(text: str) -> tuple[str, ...]:
    return word_keys(plain_signs(text))


def layers_named(collage: Collage, name: str) -> list[int]:
    """The numbers, from 1, of the layers that a number or a text names, hidden layers included.

    Texts are compared like the words of a prompt, however their signs were typed. A text names
    hidden layers only if no shown layer has it.
    """
    name = plain_signs(name)
    if re.fullmatch(r"[0-9]{1,4}", name) and 1 <= int(name) <= len(collage.layers):
        return [int(name)]
    key = _key(name)
    found = [n for n, layer in enumerate(collage.layers, 1) if key and _key(layer.text) == key]
    return [n for n in found if collage.layers[n - 1].visible] or found


def one_layer(collage: Collage, name: str, where: str, *, hidden: bool) -> int:
    """The number of the layer that `name` names; `hidden`: it may be hidden.

    Raises CollageError, which begins with `where`, for a layer that does not exist or may not be
    hidden, and for a text that several layers have.
    """
    named = layers_named(collage, name.strip())
    if not named:
        among = [*enumerate(collage.layers, 1)] if hidden else collage.numbered
        raise CollageError(f"{where}: there is no layer {quoted(name.strip())}. {_listed(among)}")
    layer = collage.layers[named[0] - 1]
    if not (layer.visible or hidden):
        raise CollageError(
            f"{where}: layer {named[0]} {quoted(layer.text)} is hidden and takes no part. "
            "Make it visible or do not name it here."
        )
    if len(named) > 1:
        raise CollageError(
            f"{where}: {quoted(name.strip())} is the text of layers "
            f"{' and '.join(map(str, named))}. Use the number of the one you mean."
        )
    return named[0]


def _listed(layers: Sequence[tuple[int, Layer]]) -> str:
    named = [f"{n} {quoted(layer.text)}" for n, layer in layers[:MOST_LISTED]]
    if not named:
        return "The collage shows no layer."
    more = f" and {len(layers) - MOST_LISTED} more" if len(layers) > MOST_LISTED else ""
    return f"There are {', '.join(named)}{more}."


def chosen_layers(collage: Collage, names: str, node: str) -> tuple[int, ...]:
    """The numbers of the layers named in `names`, rising; 0 is the background.

    Names are numbers, as in reports, or texts, compared like the words of a prompt. Commas,
    semicolons and line breaks separate them, in full width too; a text with a comma needs a line of
    its own. Raises one CollageError
    in the name of `node` about all names of no layer, of several layers or of an invisible layer.
    """
    listed = _names(collage, names)
    if not listed:
        raise CollageError(
            f"{node}, input layers: {quoted(names)} names no layer. {_choices(collage)}"
        )
    found = [(name, _matches(collage, name)) for name in dict.fromkeys(listed)]
    problems = filter(None, (_problem(collage, name, numbers) for name, numbers in found))
    if first := list(islice(problems, MOST_LISTED + 1)):
        more = ["and so on"] if len(first) > MOST_LISTED else []
        said = "; ".join([*first[:MOST_LISTED], *more])
        raise CollageError(f"{node}, input layers: {said}. {_choices(collage)}")
    return tuple(sorted({number for _, numbers in found for number in numbers}))


def layer_name(collage: Collage, number: int) -> str:
    """How messages call a layer or the background."""
    if number == BACKGROUND:
        return "the background"
    return f"layer {number} {quoted(collage.layers[number - 1].text)}"


def _names(collage: Collage, text: str) -> list[str]:
    texts = {_key(layer.text) for layer in collage.layers}
    parts: list[str] = []
    for line in plain_signs(text).splitlines():
        for part in [line] if _key(line) in texts else line.split(","):
            parts += [part] if _key(part) in texts else part.split(";")
    return [part.strip() for part in parts if part.strip()]


def _matches(collage: Collage, name: str) -> list[int]:
    found = layers_named(collage, name)
    if not found and (name == str(BACKGROUND) or word_keys(name) == (BACKGROUND_TEXT,)):
        return [BACKGROUND]
    return found


def _problem(collage: Collage, name: str, numbers: list[int]) -> str:
    """Why a name does not name exactly one visible layer; empty if it does."""
    if not numbers:
        texts = {layer.text.casefold()[:LETTERS_COMPARED]: layer.text for layer in collage.layers}
        close = get_close_matches(name.casefold()[:LETTERS_COMPARED], texts, n=1, cutoff=0.6)
        return f"{quoted(name)} is no layer" + (
            f", the nearest is {quoted(texts[close[0]])}" if close else ""
        )
    number = numbers[0]
    if number != BACKGROUND and not collage.layers[number - 1].visible:
        return f"{layer_name(collage, number)} is hidden: switch `visible` on in its CollageLayer"
    if len(numbers) > 1:
        listed = ", ".join(map(str, numbers))
        return (
            f"{quoted(name)} is the text of layers {listed}: write the number of the one you mean"
        )
    if collage.visible_part(number).max() < VISIBLE_ALPHA:
        return f"nothing of {layer_name(collage, number)} can be seen in the collage"
    return ""


def _choices(collage: Collage) -> str:
    listed = ", ".join(
        f"{n} {quoted(layer.text)}{'' if layer.visible else ' (hidden)'}"
        for n, layer in enumerate(collage.layers, 1)
    )
    return f"Write numbers or texts: {BACKGROUND} the background{', ' if listed else ''}{listed}."
