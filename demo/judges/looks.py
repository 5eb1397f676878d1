"""A recogniser of the looks that LoRAs learn, used only for measuring.

It reads what the judge sees of every 8 x 8 pixel cell. It has seen the world alone, each look on
each kind of toy, never a picture that the demo model made.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from ..world.looks import LOOKS
from . import judge

CLASSES = ("", *LOOKS)  # no look, or the kind whose look it is
FILE = Path(__file__).parents[1] / "weights" / "looks.safetensors"


class Looks(nn.Module):
    """What the judge reads off a picture [B, 96, h, w] -> logits [B, len(CLASSES), h, w]."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv2d(96, width, 3, 1, 1)
        self.second = nn.Conv2d(width, len(CLASSES), 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.second(nn.functional.silu(self.first(features)))


class Recogniser:
    """Which look every cell of a picture has."""

    def __init__(self) -> None:
        self.judge, self.looks = judge.load_judge(), Looks()
        self.looks.load_state_dict(load_file(FILE))
        self.looks.float().eval()

    @torch.inference_mode()
    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """[B, H, W, 3] in [0, 1] -> an index into CLASSES of every cell, [B, H/8, W/8]."""
        seen = self.judge.features(pictures.movedim(-1, 1).float())
        return self.looks(seen).argmax(1)
