"""A small recogniser of pasted objects, used only for measuring.

It distinguishes a coherent scene from a collage of the painted world by the surroundings of one
object: direction of light, shadows, matching colours. Its training pictures are scenes after the
demo model's autoencoder, never pictures of the demo model.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

WINDOW = 96  # pixels around an object
FILE = Path(__file__).parents[1] / "weights" / "harmony.safetensors"


def stem(width: int) -> nn.Sequential:
    """[B, 3, H, W] in [-1, 1] -> [B, width, H/8, W/8]."""
    return nn.Sequential(
        nn.Conv2d(3, 24, 5, 2, 2),
        nn.ReLU(),
        nn.Conv2d(24, 40, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(40, width, 3, 2, 1),
    )


class Harmony(nn.Module):
    """[B, 3, 96, 96] in [0, 1] -> logit [B] of "this window shows a coherent scene"."""

    def __init__(self, width: int = 64):
        super().__init__()
        self.stem = stem(width)
        self.context = nn.ModuleList(nn.Conv2d(width, width, 3, 1, d, d) for d in (1, 2))
        self.answer = nn.Linear(2 * width, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        x = self.stem(windows * 2 - 1)
        for layer in self.context:
            x = x + layer(F.relu(x))
        x = F.relu(x)
        return self.answer(torch.cat((x.mean((2, 3)), x.amax((2, 3))), 1))[:, 0]


def load_harmony() -> Harmony:
    model = Harmony()
    model.load_state_dict(load_file(FILE))
    return model.eval()


def around(mask: torch.Tensor, size: int = WINDOW) -> tuple[slice, slice]:
    """The window around a mask [H, W], as rows and columns inside the canvas."""
    parts = []
    for length, along in ((mask.shape[0], 1), (mask.shape[1], 0)):
        weight = mask.sum(along)
        centre = (weight * torch.arange(length)).sum() / weight.sum()
        start = min(max(round(centre.item() - size / 2), 0), length - size)
        parts.append(slice(start, start + size))
    return parts[0], parts[1]


@torch.inference_mode()
def harmony(model: Harmony, picture: torch.Tensor, mask: torch.Tensor) -> float:
    """How sure the recogniser is, 0 to 1, that the object in `mask` [H, W] belongs where it is.

    picture: [H, W, 3] in [0, 1].
    """
    window = picture[around(mask)].movedim(-1, 0)[None].float().clamp(0, 1)
    return model(window).sigmoid().item()
