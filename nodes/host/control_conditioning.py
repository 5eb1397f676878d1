"""A control network in a CONDITIONING, put there by the host's own node.

Host symbols: nodes.ControlNetApplyAdvanced.apply_controlnet, which copies the CONTROL_NET once
for each network it finds in the conditionings, to stand behind it; the key model_conds of a
CONDITIONING's dictionary, and conds.CONDConstant, whose process_cond (batch_size, area) the
sampler calls at every step.
"""

from __future__ import annotations

from typing import Any

import torch
from comfy.conds import CONDConstant

import nodes as host_nodes

from ...collage_core.errors import CollageError
from .control_fit import NODE
from .layer_control import LayerControl

KEY = "collage_control"


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
    network: Any,
    image: torch.Tensor,
    weights: torch.Tensor,
    **settings: float,
) -> tuple[list, list]:
    """Positive and negative with a CONTROL_NET that sees `image` and counts by `weights`.

    image: [B, H, W, 3]; weights: [C, 1, H, W]; settings: strength, start_percent, end_percent.
    """
    weighed = LayerControl(network, weights)
    apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
    positive, negative = apply(*conditionings, weighed, image, **settings)
    return _whole(positive), _whole(negative)


def _whole(conditioning: list) -> list:
    return [
        [features, {**options, "model_conds": {**options.get("model_conds", {}), KEY: whole}}]
        for features, options in conditioning
        for whole in (WholePicture(None),)
    ]
