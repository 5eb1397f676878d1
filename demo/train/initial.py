"""Initial weights: ComfyUI's classes leave weights unset until a checkpoint is loaded."""

from __future__ import annotations

import torch
from torch import nn


def initialise(network: nn.Module, *, zero: tuple[str, ...] = (), seed: int = 0) -> None:
    """Set weights that preserve the variance of their input, and biases of zero.

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
