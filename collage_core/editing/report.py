"""What an edit tells its user, as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from ..collage.chosen_layers import layer_name
from ..collage.collage import Collage
from ..collage.cutouts import visible_part
from ..collage.report import percent
from ..noise.collage_noise import collage_noise
from .paste_back import changeable


def describe_edit(
    edited: Collage,
    chosen: Sequence[int],
    *,
    noise: float,
    pasted: bool,
    taken: Sequence[int],
    notes: Sequence[str],
) -> str:
    """What is redrawn of the finished picture, how far, and how much of the canvas that is.

    chosen: numbers of layers, 0 for the background; taken: numbers of those that were taken away
    from where they were, as the collage from before counts them.
    """
    changing = changeable(collage_noise(edited, 0.0, 0.0)).float().mean().item()
    start = "Goes on from the finished picture"
    lines = [f"{start}: {percent(changing)} of the canvas may change, the rest is kept."]
    for number in chosen:
        name, visible = layer_name(edited, number), visible_part(edited, number).mean().item()
        lines.append(
            f"{name[0].upper()}{name[1:]}: noise {noise:g}, visible on {percent(visible)} of the "
            f"canvas{', pasted over the picture from its own pixels' if pasted else ''}"
        )
    if taken:
        numbers = ", ".join(map(str, taken))
        lines.append(f"Taken away from where it was in the picture: layer {numbers}")
    return "\n".join([*lines, *(f"! {note}" for note in notes)])
