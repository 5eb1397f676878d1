"""The shapes of the demo models' networks, built from ComfyUI's own classes.

Training and the node that loads the result both build from here. Width and depth follow from
measuring on two cores: attention at 16 x 16 and 8 x 8 cells only, one residual block a level.
"""

from __future__ import annotations

from typing import Any

import torch
from comfy.ops import disable_weight_init as ops
from comfy.t2i_adapter.adapter import Adapter

LATENT_CHANNELS = 8
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
    "model_channels": 96,
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

WORDS = 32  # tokens that the transformer sees of a caption
TRANSFORMER: dict[str, Any] = {
    "image_model": "lumina2",
    "patch_size": 2,
    "in_channels": LATENT_CHANNELS,
    "dim": 192,
    "cap_feat_dim": TEXT_WIDTH,
    "n_layers": 6,
    "n_refiner_layers": 1,
    "n_heads": 6,
    "n_kv_heads": 6,
    "axes_dims": [8, 12, 12],
    "axes_lens": [64, 64, 64],
    "rope_theta": 256.0,
    "ffn_dim_multiplier": 1.0,
    "qk_norm": True,
}

AUTOENCODER: dict[str, Any] = {"coarse": 160, "fine": 96, "encoder_depth": 2, "decoder_depth": 3}
FOLD = 4  # pixels a side that become the channels of one fine cell


class Residual(torch.nn.Module):
    """x + two convolutions of it. The second starts at zero, so training starts at x."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = ops.Conv2d(channels, channels, 3, padding=1)
        self.second = ops.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        silu = torch.nn.functional.silu
        return x + self.second(silu(self.first(silu(x))))


class Autoencoder(torch.nn.Module):
    """Pictures [B, 3, 8h, 8w] in [-1, 1] <-> latents [B, LATENT_CHANNELS, h, w].

    Convolutions at full size cost most of an autoencoder's time. Here 4 x 4 pixels are folded
    into the channels of one fine cell (pixel unshuffle, Shi et al. 2016), and everything is
    computed on fine cells and on the coarse cells of the latent. There is no normalisation: it
    would take away the mean colour of a picture.
    """

    def __init__(self, coarse: int, fine: int, encoder_depth: int, decoder_depth: int):
        super().__init__()
        folded = 3 * FOLD**2
        self.encoder = torch.nn.Sequential(
            torch.nn.PixelUnshuffle(FOLD),
            ops.Conv2d(folded, fine, 3, padding=1),
            *[Residual(fine) for _ in range(encoder_depth)],
            ops.Conv2d(fine, coarse, 3, stride=2, padding=1),
            *[Residual(coarse) for _ in range(encoder_depth)],
            ops.Conv2d(coarse, LATENT_CHANNELS, 1),
        )
        self.decoder = torch.nn.Sequential(
            ops.Conv2d(LATENT_CHANNELS, coarse, 3, padding=1),
            *[Residual(coarse) for _ in range(decoder_depth)],
            ops.Conv2d(coarse, 4 * fine, 1),
            torch.nn.PixelShuffle(2),
            *[Residual(fine) for _ in range(decoder_depth)],
            torch.nn.SiLU(),
            ops.Conv2d(fine, folded, 3, padding=1),
            torch.nn.PixelShuffle(FOLD),
        )

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder(x)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.decoder(z)


class EdgeAdapter(Adapter):
    """The host's T2I adapter (Mou et al. 2024) with an exit for each level of this UNet.

    Edges [B, 1, H, W] in [0, 1] -> {"input": what is added after each of the six input blocks,
    the last block first}: [B, 96, H/8, W/8] after block 1, [B, 192, H/16, W/16] after block 3,
    [B, 192, H/32, W/32] after block 5. The host runs it once for a whole sampling.
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
