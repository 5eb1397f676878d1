"""Which collage the parts of a conditioning were made of: words by the patch, and control.

Host symbols:
    comfy.controlnet.ControlBase(): previous_controlnet
    nodes.ControlNetApplyAdvanced: "control"
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ...collage_core.collage import Collage
from ...collage_core.errors import CollageError
from ...collage_core.same_collage import difference
from .carried_words import KEY
from .carried_words import NODE as PATCH
from .control_fit import NODE as CONTROL
from .layer_control import LayerControl


def check_collage(
    node: str, collage: Collage, conditionings: dict[str, list], *, words: bool = True
) -> None:
    """Refuse a collage that positive or negative, by name, were not made of.

    words: whether the prompt counts, that of `positive` only: a negative may speak of other
    things in the same places. Of several conditionings combined one has to be the collage's.
    """
    for name, conditioning in conditionings.items():
        counts = words and name == "positive"
        differences = [
            difference(collage, options[KEY].collage, words=counts)
            for features, options in _entries(conditioning)
            if KEY in options and features.any()  # what ConditioningZeroOut left has no words
        ]
        if differences and all(differences):
            raise another_collage(node, differences[0], PATCH)
        for control in _controls(conditioning):
            told = difference(collage, control.collage, words=False, picture=control.shows_it)
            if told:
                raise another_collage(node, told, CONTROL)


def another_collage(node: str, difference: str, maker: str) -> CollageError:
    return CollageError(
        f"{node}, input collage: this is not the collage that {maker} got: {difference}. Connect "
        "the same collage to both nodes."
    )


def _entries(conditioning: list) -> Iterator[tuple[torch.Tensor, dict]]:
    """Text features and dictionary; none where something else than a CONDITIONING arrived."""
    for entry in conditioning if isinstance(conditioning, list) else []:
        if isinstance(entry, (list, tuple)) and len(entry) > 1 and isinstance(entry[1], dict):
            yield entry[0], entry[1]


def _controls(conditioning: list) -> Iterator[LayerControl]:
    """Ours among the networks chained in a conditioning."""
    for _, options in _entries(conditioning):
        control = options.get("control")
        while control is not None:
            if isinstance(control, LayerControl):
                yield control
            control = control.previous_controlnet
