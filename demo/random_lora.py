"""A LoRA of random weights, where none is at hand that was trained."""

from __future__ import annotations

import torch


def random_lora(
    model: torch.nn.Module, rank: int, seed: int, strength: float
) -> dict[str, torch.Tensor]:
    """Random changes of the linear layers of a UNet's attention, as a LoRA file has them.

    model: the host's; strength: of the changes, against the weights that they are added to.
    """
    generator, found = torch.Generator().manual_seed(seed), {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and ".transformer_blocks." in name:
            out, width = module.weight.shape
            down = torch.randn(rank, width, generator=generator) * width**-0.5
            up = torch.randn(out, rank, generator=generator) * module.weight.std().cpu()
            found |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": strength * up}
    return found
