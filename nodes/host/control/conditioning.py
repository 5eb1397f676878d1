"""A control network in a CONDITIONING, as the host's ControlNetApplyAdvanced puts it there.

The sampler calls process_cond at every step, with the area of the entry.

Host symbols:
    comfy.controlnet.ControlBase: set_cond_hint(cond_hint, strength, timestep_percent_range)
    comfy.controlnet.ControlBase: set_previous_controlnet(controlnet)
    comfy.controlnet.ControlNet: copy()
    comfy.conds.CONDConstant(cond): process_cond(*, batch_size, area)
    comfy.samplers: "control", "area", "model_conds"
    comfy.sampler_helpers.convert_cond: "model_conds"
    nodes.ControlNetApplyAdvanced: "control", "control_apply_to_uncond"
"""

from __future__ import annotations

from typing import Any

import torch
from comfy.conds import CONDConstant

from ....collage_core.errors import CollageError
from .checks import NODE
from .regional_control import LayerControl

KEY = "collage_control"
UNCOND = "control_apply_to_uncond"  # the negative has a network of its own


class WholePicture(CONDConstant):
    """Rides along in a conditioning, and refuses to be confined to an area of the picture.

    A network never hears of the area: the host squeezes all of the control image into it.
    """

    def process_cond(self, batch_size, area=None, **kwargs):
        if area is not None:
            raise CollageError(
                f"{NODE}, output positive or negative: the conditioning was given an area of the "
                "picture, and all of the control image would be squeezed into it. Use "
                'ConditioningSetMask with set_cond_area "default" in place of ConditioningSetArea.'
            )
        return super().process_cond(batch_size, **kwargs)


def apply_network(
    conditionings: tuple[list, list],
    weighed: LayerControl,
    image: torch.Tensor,
    *,
    strength: float,
    start_percent: float,
    end_percent: float,
) -> tuple[list, list]:
    """Positive and negative with a CONTROL_NET that sees `image` [B, H, W, 3].

    As the host's ControlNetApplyAdvanced does, to the bit: one copy of the network stands behind
    each network that the conditionings have already.
    """
    hint = image.movedim(-1, 1)
    copies: dict[Any, Any] = {}

    def behind(previous: Any) -> Any:
        if previous not in copies:
            copy = weighed.copy().set_cond_hint(hint, strength, (start_percent, end_percent))
            copies[previous] = copy.set_previous_controlnet(previous)
        return copies[previous]

    def applied(conditioning: list) -> list:
        return [
            [features, {**options, "control": behind(options.get("control")), UNCOND: False}]
            for features, options in conditioning
        ]

    positive, negative = (applied(conditioning) for conditioning in conditionings)
    return _whole(positive), _whole(negative)


def _whole(conditioning: list) -> list:
    return [
        [features, {**options, "model_conds": {**options.get("model_conds", {}), KEY: whole}}]
        for features, options in conditioning
        for whole in (WholePicture(None),)
    ]
