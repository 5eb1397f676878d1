"""Which collage the parts of a conditioning were made of: words by the patch, and control.

Host symbols:
    comfy.controlnet.ControlBase(): previous_controlnet
    nodes.ControlNetApplyAdvanced: "control"
"""

from __future__ import annotations

from collections.abc import Iterator

from ....collage_core.collage.box import Box
from ....collage_core.collage.collage import Collage
from ....collage_core.collage.same_collage import difference
from ....collage_core.errors import CollageError
from ..attention.conditioning import KEY
from ..attention.conditioning import NODE as PATCH
from ..control.checks import NODE as CONTROL
from ..control.regional_control import LayerControl


def check_collage(
    node: str,
    collage: Collage,
    conditionings: dict[str, list],
    box: Box | None = None,
    *,
    words: bool = True,
) -> None:
    """Refuse a collage that positive or negative, by name, were not made of.

    box: the part of the canvas that is sampled with it, None is all of it; words: whether the
    prompt counts, that of `positive` only: a negative may speak of other things in the same
    places. Of several conditionings combined one has to be the collage's.
    """
    for name, conditioning in conditionings.items():
        counts, where = words and name == "positive", f"{node}, input {name}"
        carried = [
            options[KEY]
            for features, options in conditioning
            if KEY in options and features.any()  # what ConditioningZeroOut left has no words
        ]
        differences = [difference(collage, one.collage, words=counts) for one in carried]
        if differences and all(differences):
            raise another_collage(node, differences[0], PATCH)
        for one in carried:
            check_box(where, one.box, box, PATCH)
        for control in _controls(conditioning):
            check_box(where, control.box, box, CONTROL)
            told = difference(collage, control.collage, words=False, picture=control.shows_it)
            if told:
                raise another_collage(node, told, CONTROL)


def another_collage(node: str, difference: str, maker: str) -> CollageError:
    return CollageError(
        f"{node}, input collage: this is not the collage that {maker} got: {difference}. Connect "
        "the same collage to both nodes."
    )


def check_box(where: str, made_for: Box | None, used_with: Box | None, maker: str) -> None:
    """Refuse, in a message that begins with `where`, what was made for another part."""
    if made_for != used_with:
        raise CollageError(
            f"{where}: {maker} made it for {made_for or 'the whole canvas'}, and here it meets "
            f"{used_with or 'the whole canvas'}. Connect the same crop everywhere, or none."
        )


def _controls(conditioning: list) -> Iterator[LayerControl]:
    """Ours among the networks chained in a conditioning."""
    for _, options in conditioning:
        control = options.get("control")
        while control is not None:
            if isinstance(control, LayerControl):
                yield control
            control = control.previous_controlnet
