"""Loads the demo model's structure network into the host's CONTROL_NET object.

A T2IAdapter asks its model for .unshuffle_amount and for the outputs of an image.

Host symbols:
    comfy.controlnet.T2IAdapter(t2i_model, channels_in, compression_ratio, upscale_algorithm)
    comfy.controlnet.T2IAdapter: "unshuffle_amount"
"""

from __future__ import annotations

from comfy.controlnet import T2IAdapter

from ....demo.architecture import EdgeAdapter
from .loader import WEIGHTS, read_weights, require_all

FILE = WEIGHTS / "demo_control.safetensors"
NODE = "CollageDemoControlNet"


def load_control() -> T2IAdapter:
    """The network as the host's loader gives one; CollageError when its file is no use."""
    weights, _ = read_weights(FILE, NODE)
    adapter = EdgeAdapter()
    require_all(adapter, weights, FILE, NODE)
    adapter.load_state_dict(weights)
    return T2IAdapter(adapter.float().eval(), 1, 8, "nearest-exact")
