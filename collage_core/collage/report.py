"""The report of a stack, as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import quoted
from ..imaging.pixels import VISIBLE_ALPHA, on_plain_background
from ..prompt.checks import foreign_signs
from ..prompt.phrases import WordRegion, describe
from ..prompt.syntax import weight_texts
from .collage import Collage
from .layer import turned_size
from .limits import CELL

STRONG_WEIGHT = 5
MOST_PLACES = 8  # of one phrase that are listed
MIN_SHARE = 1e-5  # smaller shares come from rounding
SCENERY_SHARE = 0.9  # of the canvas; a layer that shows more is no cut-out object


def describe_collage(collage: Collage) -> str:
    """Per layer its words and their places, its visible share, the layers that hide it, its noise.

    Every note for the user has a line of its own that starts with "!".
    """
    blocks = [[*_layer_lines(collage, number)] for number in range(1, len(collage.layers) + 1)]
    lines = [*_canvas_lines(collage), *(line for block in blocks for line in ["", *block])]
    notes = sum(line.lstrip().startswith("!") for line in lines)
    lines[0] += f" {notes} {'note' if notes == 1 else 'notes'}, marked with !." if notes else ""
    return "\n".join(lines)


def _canvas_lines(collage: Collage) -> Iterator[str]:
    shown, total = len(collage.shown), len(collage.layers)
    background = 1 - collage.composite.visible_alpha.mean((0, 2, 3)).sum().item()
    yield (
        f"Canvas {collage.width} x {collage.height} pixels, {shown} of {total} layers shown, "
        f"the background on {percent(background if background >= MIN_SHARE else 0)} of it."
    )
    if len(collage.composite.image) > 1:
        yield f"{len(collage.composite.image)} pictures are made, {_batches(collage)}."
    if not shown:
        yield "! No layer is shown: the picture is the background, and the one mask is empty."
    if collage.edit is not None:
        yield (
            f"It starts from a finished picture: background noise {collage.edit.base_noise:g}, "
            f"feather {collage.edit.feather:g} pixels, whatever the sampler's inputs say."
        )
    for note in collage.notes:
        yield f"! {note}"
    for sign in foreign_signs(collage.prompt):
        yield f"! {sign}"
    for weight in weight_texts(collage.prompt):
        if abs(float(weight)) > STRONG_WEIGHT:
            yield f"! the weight {weight} in the prompt is beyond {STRONG_WEIGHT}, mostly too much"


def _batches(collage: Collage) -> str:
    """Where a batch comes from: all parts that hold more than one picture."""
    parts = {f"layer {n} {quoted(layer.text)}": layer.batch for n, layer in collage.numbered}
    parts["the background"] = len(collage.background)
    if collage.edit is not None:
        parts["the finished picture"] = len(collage.edit.picture)
    found = [name for name, batch in parts.items() if batch > 1]
    every = "; parts with one picture are in each" if len(found) < len(parts) else ""
    return f"as many as {' and '.join(found)} {'has' if len(found) == 1 else 'have'}{every}"


def _layer_lines(collage: Collage, number: int) -> Iterator[str]:
    layer = collage.layers[number - 1]
    if not layer.visible:
        yield f"{number} {quoted(layer.text)} is hidden and takes no part."
        return
    index = collage.index_of(number)
    visible = collage.composite.visible_alpha[:, index].mean().item()
    region = collage.phrases.of_layer(index)
    yield (
        f"{number} {quoted(layer.text)}: {_where(region)}; "
        f"visible on {percent(visible)} of the canvas; noise {layer.noise:g}"
        + (f"; {layer.blend}" if layer.blends else "")
    )
    if hidden := _hidden_by(collage, index):
        yield f"    hidden: {', '.join(hidden)}"
    notes = [*_sight_notes(collage, index, visible), *_word_notes(collage, region, index)]
    twins = [n for n, other in enumerate(collage.layers[: number - 1], 1) if other is layer]
    notes += [f"the same layer as layer {n}, stacked once more" for n in twins]
    for note in (*notes, *layer.notes):
        yield f"    ! {note}"


def _where(region: WordRegion) -> str:
    """The places of a region in the prompt, the first of them if they are very many."""
    places = [describe(place.start, place.end) for place in region.places[:MOST_PLACES]]
    if more := len(region.places) - len(places):
        places.append(f"and {more} places more")
    return ", ".join(places).replace(", characters", ",").replace(", and", " and")


def _hidden_by(collage: Collage, index: int) -> list[str]:
    """The shares that other layers hide of a layer's part on the canvas."""
    covered = collage.composite.covered[index].item()
    return [
        f"{percent(hidden / covered)} by layer {number} {quoted(layer.text)}"
        + (f" ({layer.blend}: only noise and words count as hidden)" if layer.blends else "")
        for (number, layer), hidden in zip(
            collage.numbered, collage.composite.hidden_by[index].tolist(), strict=True
        )
        if hidden > MIN_SHARE * covered
    ]


def _sight_notes(collage: Collage, index: int, visible: float) -> Iterator[str]:
    """At most one note, the gravest, on why a layer is not visible as one would expect."""
    layer = collage.shown[index]
    covered = collage.composite.covered[index].item()
    pixels = collage.width * collage.height
    alone = layer.alpha.mean().item() * layer.opacity  # of the layer's own area
    scale = layer.scale_on(collage.height, collage.width)
    tall, wide = (size * scale for size in layer.alpha.shape[1:])
    area = tall * wide / pixels
    tall, wide = turned_size(tall, wide, layer.rotation)
    if layer.alpha.max().item() * layer.opacity < VISIBLE_ALPHA:
        yield "is fully transparent: nothing of it can be seen"
    elif covered < MIN_SHARE * alone * area:
        yield "lies wholly outside the canvas"
    elif visible < MIN_SHARE * covered:
        yield "is fully covered"
    elif round(visible * pixels, 2) < CELL**2:
        yield (
            f"shows less than one latent cell of {CELL} x {CELL} pixels: "
            "too little for its noise and its words to have an effect"
        )
    elif covered < 0.99 * alone * area and layer.fit != "cover":
        outside = f"{percent(1 - covered / (alone * area))} of it lies outside the canvas"
        if layer.fit == "pixels" and (tall > collage.height or wide > collage.width):
            outside += f": it is {wide:.0f} x {tall:.0f} pixels there; fit contain makes it as "
            outside += "large as the canvas"
        yield outside
    elif visible < SCENERY_SHARE and on_plain_background(layer.image, layer.alpha):
        yield (
            "it is on a ground of one colour that is not transparent: connect the MASK of Load "
            "Image, or cut it out first"
        )


def _word_notes(collage: Collage, region: WordRegion, index: int) -> Iterator[str]:
    numbers = [number for number, _ in collage.numbered]
    if len(region.places) > 1:
        yield f"its words stand {len(region.places)} times in the prompt, and all belong to it"
    if shared := [str(numbers[i]) for i in region.layers if i != index]:
        yield f"shares its words with layer {', '.join(shared)}: they are one region"
    for other in collage.phrases.regions:
        if other is not region and any(
            around.start <= place.start and place.end <= around.end
            for place in region.places
            for around in other.places
        ):
            yield f"its words stand inside those of layer {numbers[other.layers[0]]}"


def percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.1f} %" if percent >= 0.1 else f"{max(percent, 0):.2g} %"
