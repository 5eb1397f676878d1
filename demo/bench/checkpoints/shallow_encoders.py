"""An extension for the measurement's own server: text encoders of few blocks load there.

ComfyUI's loaders fix the depth of T5-XXL, Qwen3 4B and Qwen2.5-VL 7B, whose files have 8 to 16 GB.
Here the loaders' own `model_options` say another depth; width, vocabulary and code stay the host's.

Host symbols: comfy.sd.load_clip (model_options), the options "*_model_config" of
comfy.sd1_clip.SDClipModel, comfy_api.latest.ComfyExtension.
"""

from __future__ import annotations

import functools

import comfy.sd
from comfy_api.latest import ComfyExtension

# Z-Image reads the last hidden state but one, and ComfyUI wants a block more than it counts back
SHALLOW = {
    "t5xxl_model_config": {"num_layers": 1},
    "qwen3_4b_model_config": {"num_hidden_layers": 3},
    "qwen25_7b_model_config": {"num_hidden_layers": 1},
}


class ShallowEncoders(ComfyExtension):
    async def on_load(self) -> None:
        load = comfy.sd.load_clip

        @functools.wraps(load)
        def load_shallow(*args, model_options=None, **kwargs):
            return load(*args, model_options={**(model_options or {}), **SHALLOW}, **kwargs)

        comfy.sd.load_clip = load_shallow

    async def get_node_list(self) -> list:
        return []


async def comfy_entrypoint() -> ShallowEncoders:
    return ShallowEncoders()
