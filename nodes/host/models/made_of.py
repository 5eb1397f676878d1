"""The collage that the parts of a conditioning were made of: attention bias and control.

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
    """Refuse a collage other than the one that positive or negative, by name, were made of.

    box: the part of the canvas that is sampled, None for all of it; words: whether the prompt of
    `positive` must be the same too. That of the negative may differ: it may name other things in
    the same places. Where several conditionings are combined, one that fits is enough.
    """
    for name, conditioning in conditionings.items():
        counts, where = words and name == "positive", f"{node}, input {name}"
        carried = [
            options[KEY]
            for features, options in conditioning
            if KEY in options and features.any()  # all zeros after ConditioningZeroOut
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
    """CollageError, beginning with `where`, unless both boxes are the same."""
    if made_for != used_with:
        raise CollageError(
            f"{where}: {maker} made it for {made_for or 'the whole canvas'}, and here it meets "
            f"{used_with or 'the whole canvas'}. Connect the same crop everywhere, or none."
        )


def _controls(conditioning: list) -> Iterator[LayerControl]:
    """The LayerControls among the networks chained in a conditioning."""
    for _, options in conditioning:
        control = options.get("control")
        while control is not None:
            if isinstance(control, LayerControl):
                yield control
            control = control.previous_controlnet
