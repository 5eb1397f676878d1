"""The model of an example: the one that ships with the pack, or a real checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..world.scene import SIZE

Kind = tuple[str, dict[str, Any]]  # class_type and inputs of a node


@dataclass(frozen=True)
class Variant:
    """Everything in which the variants of an example differ."""

    model: Kind
    network: Kind
    size: int  # of the canvas, in pixels; layers grow with it
    noise: float  # of every layer, where an example gives all the same
    negative: str = ""
    sampling: dict[str, Any] = field(default_factory=dict)  # stands above the example's own


DEMO = Variant(("CollageDemoModel", {}), ("CollageDemoControlNet", {}), SIZE, 0.5)

# The settings of the paper (Sarukkai et al. 2024, section 5). Another checkpoint of SD1.5, or one
# of SD2.1 with a structure network that fits it, goes into the loaders.
CHECKPOINT = Variant(
    ("CheckpointLoaderSimple", {"ckpt_name": "v1-5-pruned-emaonly.safetensors"}),
    ("ControlNetLoader", {"control_net_name": "control_v11p_sd15_canny.safetensors"}),
    512,
    0.8,
    "collage",
    {
        "steps": 50,
        "cfg": 7.5,
        "sampler_name": "euler_ancestral",
        "scheduler": "normal",
        "base_noise": 0.8,
        "feather": 10.0,
    },
)
