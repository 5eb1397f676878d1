"""What a control network is shown, and how it gets into a CONDITIONING.

Both are as in ComfyUI's own nodes, Canny and ControlNetApplyAdvanced. The sampler calls
process_cond at every step, with the area of the entry.

Host symbols:
    comfy.controlnet.ControlBase: set_cond_hint(cond_hint, strength, timestep_percent_range, *, vae)
    comfy.controlnet.ControlBase(): latent_format
    comfy.controlnet.ControlBase: set_previous_controlnet(controlnet)
    comfy.controlnet.ControlNet: copy()
    comfy.conds.CONDConstant(cond): process_cond(*, batch_size, area)
    comfy.samplers: "control", "area", "model_conds"
    comfy.sampler_helpers.convert_cond: "model_conds"
    comfy.model_management: get_torch_device(), intermediate_device(), intermediate_dtype()
    nodes.ControlNetApplyAdvanced: "control", "control_apply_to_uncond"
"""

from __future__ import annotations

from typing import Any

import torch
from comfy import model_management
from comfy.conds import CONDConstant
from kornia.filters import canny

from ....collage_core.errors import CollageError
from .checks import NODE
from .regional_control import LayerControl

KEY = "collage_control"
UNCOND = "control_apply_to_uncond"  # False: the negative has its own network
# Half the defaults of Canny: at 0.4 and 0.8 a white cube before a light wall, or brown dishes on a
# brown table, have no outline.
LOW, HIGH = 0.2, 0.4


def find_edges(image: torch.Tensor) -> torch.Tensor:
    """Pictures [B, H, W, 3] in [0, 1] -> IMAGE of the same shape, 1 on edges and 0 elsewhere."""
    colour = image.to(model_management.get_torch_device(), torch.float32).movedim(-1, 1)
    _, edges = canny(colour, LOW, HIGH)
    device, dtype = model_management.intermediate_device(), model_management.intermediate_dtype()
    return edges.to(device, dtype).movedim(1, -1).repeat(1, 1, 1, 3)


class WholePicture(CONDConstant):
    """An entry of a conditioning that raises CollageError where the conditioning gets an area.

    A control network does not know the area: ComfyUI squeezes all of the control image into it.
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
    vae: Any = None,
) -> tuple[list, list]:
    """Positive and negative with a CONTROL_NET that sees `image` [B, H, W, 3].

    vae: for networks that see latents; CollageError where one of these gets none.

    As ComfyUI's ControlNetApplyAdvanced does, to the bit: each network that the conditionings
    have already gets one copy of this network behind it.
    """
    if vae is None and getattr(weighed, "latent_format", None) is not None:
        raise CollageError(
            f"{NODE}, input vae: this network looks at latents, and nothing is connected to make "
            "them. Connect the VAE of the model."
        )
    hint, more = image.movedim(-1, 1), {} if vae is None else {"vae": vae}
    copies: dict[Any, Any] = {}

    def behind(previous: Any) -> Any:
        if previous not in copies:
            copy = weighed.copy().set_cond_hint(
                hint, strength, (start_percent, end_percent), **more
            )
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
