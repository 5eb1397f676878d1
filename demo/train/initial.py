"""Random starts: the host's classes leave their weights to a checkpoint, so training sets them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

REFERENCE = 3.0  # constant channels beside a colour, against which normalisation measures it


def initialise(network: nn.Module, *, zero: tuple[str, ...] = (), seed: int = 0) -> None:
    """Weights that keep the size of what they are given; biases of zero.

    Layers whose name ends with one of `zero` start at 0: the last layers of residual branches,
    which then begin as identities.
    """
    torch.manual_seed(seed)
    for name, module in network.named_modules():
        weight = getattr(module, "weight", None)
        if weight is None:
            continue
        if name.endswith(zero) and zero:
            nn.init.zeros_(weight)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(weight, std=0.02 if "position" in name else 0.05)
        elif weight.ndim > 1:
            nn.init.kaiming_normal_(weight, nonlinearity="linear")
        else:
            nn.init.ones_(weight)
        bias = getattr(module, "bias", None)
        if bias is not None:
            nn.init.zeros_(bias)


@torch.no_grad()
def start_as_box_filter(model: Any) -> None:
    """Let the host's KL autoencoder begin as: latent = mean colour of each 8 x 8 block.

    Colours are right from the first step and training only has to add detail. Colour k rides on
    the four channels of normalisation group k as (x, -x, C, -C): mean and spread of such a group
    hardly depend on x, and silu(a) - silu(-a) = a takes it back out. Residual branches must
    start at zero.
    """
    encoder, decoder = model.encoder, model.decoder
    _put_on_carriers(encoder.conv_in, gain=1.0)
    for level in encoder.down:
        _keep_carriers(level.block[0])
        if hasattr(level, "downsample"):
            _keep_carriers(level.downsample.conv, box=True)
    _take_off_carriers(encoder.conv_out, gain=2.0)
    nn.init.zeros_(model.quant_conv.weight)
    model.quant_conv.weight[:, :, 0, 0].fill_diagonal_(1.0)
    model.quant_conv.weight[4:] = 0.0
    model.quant_conv.bias[4:] = -7.0
    nn.init.zeros_(model.post_quant_conv.weight)
    model.post_quant_conv.weight[:, :, 0, 0].fill_diagonal_(1.0)
    _put_on_carriers(decoder.conv_in, gain=0.5)
    for level in decoder.up:
        if hasattr(level, "upsample"):
            _keep_carriers(level.upsample.conv)
    _take_off_carriers(decoder.conv_out, gain=1.0, repeat=16)


def _put_on_carriers(conv: Any, gain: float) -> None:
    """Input k becomes channels 4k (as it is), 4k + 1 (negated), and two constants."""
    conv.weight[:12] = 0.0
    for k in range(3):
        conv.weight[4 * k, k, 1, 1] = gain
        conv.weight[4 * k + 1, k, 1, 1] = -gain
        conv.bias[4 * k + 2], conv.bias[4 * k + 3] = REFERENCE, -REFERENCE


def _keep_carriers(module: nn.Module, *, box: bool = False) -> None:
    """The first twelve channels pass unchanged, or as the mean of 2 x 2 where the size halves."""
    conv = getattr(module, "nin_shortcut", module)
    if not isinstance(conv, nn.Conv2d):
        return  # a residual block of equal width: its branch starts at zero
    conv.weight[:12] = 0.0
    middle = conv.weight.shape[-1] // 2
    for channel in range(12):
        if box:
            conv.weight[channel, channel, :2, :2] = 0.25
        else:
            conv.weight[channel, channel, middle, middle] = 1.0


def _take_off_carriers(conv: nn.Conv2d, gain: float, repeat: int = 1) -> None:
    """Output k (or its `repeat` pixels) becomes what rides on group k; the rest starts small."""
    conv.weight *= 0.5
    conv.weight[: 3 * repeat] = 0.0
    for output in range(3 * repeat):
        k = output // repeat
        conv.weight[output, 4 * k, 1, 1] = gain * REFERENCE / 2**0.5
        conv.weight[output, 4 * k + 1, 1, 1] = -gain * REFERENCE / 2**0.5
