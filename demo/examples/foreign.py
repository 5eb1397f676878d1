"""Nodes of other packs that examples use, as ComfyUI describes nodes: their inputs and outputs."""

from __future__ import annotations

from typing import Any

_SHARE = {"default": 0.0, "min": 0.0, "max": 1.0, "step": 0.001}

# of ComfyUI_IPAdapter_plus, version 2.0.0
NODES: dict[str, dict[str, Any]] = {
    "IPAdapterUnifiedLoader": {
        "input": {
            "required": {"model": ("MODEL",), "preset": (["PLUS (high strength)"],)},
            "optional": {"ipadapter": ("IPADAPTER",)},
        },
        "output": ["MODEL", "IPADAPTER"],
        "output_name": ["model", "ipadapter"],
    },
    "IPAdapterAdvanced": {
        "input": {
            "required": {
                "model": ("MODEL",),
                "ipadapter": ("IPADAPTER",),
                "image": ("IMAGE",),
                "weight": ("FLOAT", {"default": 1.0, "min": -1, "max": 5, "step": 0.05}),
                "weight_type": (["linear"], {"default": "linear"}),
                "combine_embeds": (["concat"], {"default": "concat"}),
                "start_at": ("FLOAT", _SHARE),
                "end_at": ("FLOAT", {**_SHARE, "default": 1.0}),
                "embeds_scaling": (["V only"], {"default": "V only"}),
            },
            "optional": {
                "image_negative": ("IMAGE",),
                "attn_mask": ("MASK",),
                "clip_vision": ("CLIP_VISION",),
            },
        },
        "output": ["MODEL"],
        "output_name": ["MODEL"],
    },
}
