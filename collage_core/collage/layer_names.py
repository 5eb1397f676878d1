"""Which layers of a collage a text field names, by number or by text."""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import islice

from ..errors import CollageError, quoted
from ..imaging.pixels import SEEN
from ..prompt.phrases import LETTERS_COMPARED
from ..prompt.syntax import word_keys
from .collage import BACKGROUND, Collage

MOST_LISTED = 8  # layers or problems in one message
BACKGROUND_TEXT = "background"


def layers_named(collage: Collage, name: str) -> list[int]:
    """The numbers of the layers that a number or a text means, from 1, hidden ones included.

    Texts are compared as the words of a prompt are. Hidden layers do not count where one with
    the text is shown.
    """
    if re.fullmatch(r"[0-9]{1,4}", name) and 1 <= int(name) <= len(collage.layers):
        return [int(name)]
    key = word_keys(name)
    found = [n for n, layer in enumerate(collage.layers, 1) if key and word_keys(layer.text) == key]
    return [n for n in found if collage.layers[n - 1].visible] or found


def shown_layer(collage: Collage, name: str, where: str) -> int:
    """The place among the shown layers of the one that `name` means.

    Raises CollageError, its message starting with `where`, for a layer that does not exist or is
    hidden, and for a text that several have.
    """
    named = layers_named(collage, name.strip())
    if not named:
        raise CollageError(
            f"{where}: there is no layer {quoted(name.strip())}. {_shown_listed(collage)}"
        )
    layer = collage.layers[named[0] - 1]
    if not layer.visible:
        raise CollageError(
            f"{where}: layer {named[0]} {quoted(layer.text)} is hidden and takes no part. "
            "Make it visible or do not name it here."
        )
    if len(named) > 1:
        raise CollageError(
            f"{where}: {quoted(name.strip())} is the text of layers "
            f"{' and '.join(map(str, named))}. Use the number of the one you mean."
        )
    return collage.index_of(named[0])


def _shown_listed(collage: Collage) -> str:
    layers = [f"{n} {quoted(layer.text)}" for n, layer in collage.numbered]
    if not layers:
        return "The collage shows no layer."
    more = f" and {len(layers) - MOST_LISTED} more" if len(layers) > MOST_LISTED else ""
    return f"There are {', '.join(layers[:MOST_LISTED])}{more}."


def chosen_layers(collage: Collage, wish: str, node: str) -> tuple[int, ...]:
    """The numbers of the layers named in `wish`, rising; 0 is the background.

    Names are numbers, as reports give them, or texts, compared as words of a prompt are, apart by
    commas or line breaks; a text with a comma needs a line of its own. Raises one CollageError in
    the name of `node` with every name that is no layer, several layers, or nothing to be seen.
    """
    names = _names(collage, wish)
    if not names:
        raise CollageError(
            f"{node}, input layers: {quoted(wish)} names no layer. {_choices(collage)}"
        )
    found = [(name, _matches(collage, name)) for name in dict.fromkeys(names)]
    problems = filter(None, (_problem(collage, name, numbers) for name, numbers in found))
    if told := list(islice(problems, MOST_LISTED + 1)):
        said = "; ".join([*told[:MOST_LISTED], *(["and so on"] if len(told) > MOST_LISTED else [])])
        raise CollageError(f"{node}, input layers: {said}. {_choices(collage)}")
    return tuple(sorted({number for _, numbers in found for number in numbers}))


def layer_name(collage: Collage, number: int) -> str:
    """A layer as messages call it."""
    if number == BACKGROUND:
        return "the background"
    return f"layer {number} {quoted(collage.layers[number - 1].text)}"


def _names(collage: Collage, wish: str) -> list[str]:
    texts = {word_keys(layer.text) for layer in collage.layers}
    parts: list[str] = []
    for line in wish.splitlines():
        parts += [line] if word_keys(line) in texts else line.split(",")
    return [part.strip() for part in parts if part.strip()]


def _matches(collage: Collage, name: str) -> list[int]:
    found = layers_named(collage, name)
    if not found and (name == str(BACKGROUND) or word_keys(name) == (BACKGROUND_TEXT,)):
        return [BACKGROUND]
    return found


def _problem(collage: Collage, name: str, numbers: list[int]) -> str:
    """Why a name does not choose one layer that can be seen; empty where it does."""
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
    if collage.visible_part(number).max() < SEEN:
        return f"nothing of {layer_name(collage, number)} can be seen in the collage"
    return ""


def _choices(collage: Collage) -> str:
    listed = ", ".join(
        f"{n} {quoted(layer.text)}{'' if layer.visible else ' (hidden)'}"
        for n, layer in enumerate(collage.layers, 1)
    )
    return f"Write numbers or texts: {BACKGROUND} the background{', ' if listed else ''}{listed}."
