"""Random LoRA files for models of the host. Import only where ComfyUI is at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

KINDS = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Conv3d)
SIZE = 0.5  # of what a LoRA adds, in parts of the weights of a tiny model


def tensors(
    model: torch.nn.Module,
    *,
    kind: str = "lora",
    rank: int = 4,
    seed: int = 0,
    prefix: str = "diffusion_model.",
    only: Callable[[str], bool] = lambda _: True,
) -> dict[str, torch.Tensor]:
    """A LoRA, LoHa or LoKr of every linear layer and convolution, by ComfyUI's generic names."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    found: dict[str, torch.Tensor] = {}
    for name, module in model.named_modules():
        if isinstance(module, KINDS) and only(name):
            weight = module.get_parameter("weight")
            found |= MAKERS[kind](f"{prefix}{name}", weight.shape, rank, random)
    return found


def _lora(name: str, shape, rank: int, random) -> dict[str, torch.Tensor]:
    out, *inner = shape
    kernel = inner[1:]
    width = torch.Size(inner).numel()
    scale = SIZE * (2 / width) ** 0.5
    return {
        f"{name}.lora_down.weight": random(rank, *inner) * scale,
        f"{name}.lora_up.weight": random(out, rank, *[1] * len(kernel)) * rank**-0.5,
        f"{name}.alpha": torch.tensor(rank / 2),
    }


def _loha(name: str, shape, rank: int, random) -> dict[str, torch.Tensor]:
    out, width = shape[0], torch.Size(shape[1:]).numel()
    scale = (SIZE / rank) ** 0.5 * width**-0.25
    return {
        f"{name}.hada_w1_a": random(out, rank) * scale,
        f"{name}.hada_w1_b": random(rank, width),
        f"{name}.hada_w2_a": random(out, rank) * scale,
        f"{name}.hada_w2_b": random(rank, width),
        f"{name}.alpha": torch.tensor(float(rank)),
    }


def _lokr(name: str, shape, rank: int, random) -> dict[str, torch.Tensor]:
    out, channels, *kernel = shape
    one, two = (2 if side % 2 == 0 else 1 for side in (out, channels))
    width = torch.Size([channels // two, *kernel]).numel()
    return {
        f"{name}.lokr_w1": random(one, two) * SIZE,
        f"{name}.lokr_w2_a": random(out // one, rank) * (rank * width) ** -0.5,
        f"{name}.lokr_w2_b": random(rank, width),
        f"{name}.alpha": torch.tensor(float(rank)),
    }


MAKERS = {"lora": _lora, "loha": _loha, "lokr": _lokr}


def write(path: Path, found: dict[str, Any]) -> None:
    save_file({name: one.contiguous() for name, one in found.items()}, str(path))
