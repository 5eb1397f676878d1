"""Other words for a layer, in its text and in the scene prompt."""

from __future__ import annotations

from dataclasses import replace

from ..collage.collage import Collage
from ..collage.layer_names import layer_name
from ..errors import CollageError, quoted
from ..prompt.checks import check_prompt


def rephrase(collage: Collage, number: int, phrase: str, node: str) -> Collage:
    """The collage with `phrase` for the text of a shown layer and in each of its places.

    A learned embedding is removed, because it belongs to the old words. Raises CollageError in
    the name of `node` if the layer shares its words, or if other layers would lose theirs.
    """
    layer, where = collage.layers[number - 1], f"{node}, input phrase"
    check_prompt(phrase, where)
    index = collage.index_of(number)
    region = collage.phrases.of_layer(index)
    if len(region.layers) > 1:
        others = ", ".join(str(collage.numbered[i][0]) for i in region.layers if i != index)
        raise CollageError(
            f"{where}: {layer_name(collage, number)} shares its words with layer {others}. Give "
            "them words of their own, or as many places in the prompt as there are layers."
        )
    prompt = collage.prompt
    for place in sorted(region.places, key=lambda place: -place.start):
        old = prompt[place.start : place.end]
        if old.count("(") != old.count(")"):
            raise CollageError(
                f"{where}: the words of {layer_name(collage, number)} stand as {quoted(old)} in "
                "the prompt, with weights between them. Put the weight around all of them."
            )
        prompt = prompt[: place.start] + phrase + prompt[place.end :]
    layers = list(collage.layers)
    layers[number - 1] = replace(layer, text=phrase, embedding=None)
    try:
        changed = replace(collage, prompt=prompt, layers=tuple(layers))
        _ = changed.phrases
    except CollageError as error:
        raise CollageError(
            f"{where}: {quoted(phrase)} in place of {quoted(layer.text)} makes a prompt that does "
            f"not fit the layers.\n{error}"
        ) from error
    return changed
