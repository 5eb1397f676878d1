"""The shapes of the demo model's networks, made of the host's own classes.

Training and the node that loads the result both build from here. Width and depth follow from
measuring on two cores: attention at 16 x 16 and 8 x 8 cells only, one residual block a level.
"""

from __future__ import annotations

from typing import Any

import torch
from comfy.t2i_adapter.adapter import Adapter

LATENT_CHANNELS = 4
TEXT_WIDTH = 128

TEXT_ENCODER: dict[str, Any] = {
    "hidden_size": TEXT_WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 4 * TEXT_WIDTH,
    "hidden_act": "quick_gelu",
    "max_position_embeddings": 77,
    "eos_token_id": 49407,
}

UNET: dict[str, Any] = {
    "image_size": 32,
    "in_channels": LATENT_CHANNELS,
    "out_channels": LATENT_CHANNELS,
    "model_channels": 64,
    "channel_mult": [1, 2, 2],
    "num_res_blocks": [1, 1, 1],
    "conv_resample": False,
    "transformer_depth": [0, 1, 1],
    "transformer_depth_output": [0, 0, 1, 1, 1, 1],
    "transformer_depth_middle": 1,
    "use_spatial_transformer": True,
    "use_linear_in_transformer": False,
    "context_dim": TEXT_WIDTH,
    "adm_in_channels": None,
    "use_temporal_attention": False,
    "num_heads": 4,
    "num_head_channels": -1,
    "legacy": False,
}

_CODER: dict[str, Any] = {
    "double_z": True,
    "z_channels": LATENT_CHANNELS,
    "resolution": 256,
    "in_channels": 3,
    "out_ch": 3,
    "num_res_blocks": 1,
    "attn_resolutions": [],
    "dropout": 0.0,
}


class SubPixelConv(torch.nn.Conv2d):
    """Convolution at quarter size whose output channels become 4 x 4 pixels (Shi et al. 2016).

    [B, C, H, W] -> [B, out_channels, 4H, 4W]. Convolutions at full size would cost the decoder
    several times as much.
    """

    def __init__(self, in_channels: int, out_channels: int, **options: Any):
        super().__init__(in_channels, 16 * out_channels, **options)

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002
        return torch.nn.functional.pixel_shuffle(super().forward(input), 4)


# The last normalisation of either coder sees 128 channels in 32 groups: groups of fewer than
# four channels would normalise away the mean colour of a picture.
AUTOENCODER: dict[str, Any] = {
    "embed_dim": LATENT_CHANNELS,
    "ddconfig": {**_CODER, "ch": 32, "ch_mult": [1, 1, 2, 4]},
    "decoder_ddconfig": {**_CODER, "ch": 128, "ch_mult": [1, 1], "conv_out_op": SubPixelConv},
}


class EdgeAdapter(Adapter):
    """The host's T2I adapter (Mou et al. 2024) with an exit for each level of this UNet.

    Edges [B, 1, H, W] in [0, 1] -> {"input": what is added after each of the six input blocks,
    the last block first}: [B, 64, H/8, W/8] after block 1, [B, 128, H/16, W/16] after block 3,
    [B, 128, H/32, W/32] after block 5. The host runs it once for a whole sampling.
    """

    def __init__(self) -> None:
        channels = [UNET["model_channels"] * times for times in UNET["channel_mult"]]
        shape = {"cin": 64, "nums_rb": 2, "ksize": 1, "sk": True, "use_conv": False, "xl": False}
        super().__init__(channels, **shape)
        for block in self.body:
            if hasattr(block, "down_opt"):  # where the host's rounds up, this UNet rounds down
                block.down_opt = torch.nn.AvgPool2d(2)
        self.exits = torch.nn.ModuleList(torch.nn.Conv2d(n, n, 1) for n in channels)

    def forward(self, x: torch.Tensor) -> dict[str, list[torch.Tensor | None]]:
        levels = [level for level in super().forward(x)["input"] if level is not None][::-1]
        ways = zip(levels, self.exits, strict=True)
        first, second, third = (way_out(level) for level, way_out in ways)
        return {"input": [third, None, second, None, first, None]}
