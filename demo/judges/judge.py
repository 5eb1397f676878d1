"""A small recogniser of the painted world, used only for measuring.

It names the kind and the colour of every cell of 8 x 8 pixels. Its training pictures are scenes of
the painted world, never pictures of the demo model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from .. import world

CELL = 8
COLORS = ("", "red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "grey")
FILE = Path(__file__).parents[1] / "weights" / "judge.safetensors"
SEEN_CELLS = 6  # cells of a kind that make an object: smaller ones are specks


def stem(width: int) -> nn.Sequential:
    """[B, 3, H, W] in [-1, 1] -> [B, width, H/8, W/8]."""
    return nn.Sequential(
        nn.Conv2d(3, 24, 5, 2, 2),
        nn.ReLU(),
        nn.Conv2d(24, 40, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(40, width, 3, 2, 1),
    )


class Judge(nn.Module):
    """[B, 3, H, W] in [0, 1] -> kind logits [B, K, H/8, W/8] and colour logits [B, 10, ...]."""

    def __init__(self, width: int = 64):
        super().__init__()
        self.stem = stem(width)
        steps = (1, 2, 4, 8, 1)
        self.context = nn.ModuleList(nn.Conv2d(width, width, 3, 1, d, d) for d in steps)
        self.kind = nn.Conv2d(width, len(world.KINDS), 1)
        self.color = nn.Conv2d(width, len(COLORS), 1)

    def features(self, picture: torch.Tensor) -> torch.Tensor:
        """The features before both heads: [B, width, H/8, W/8]."""
        x = self.stem(picture * 2 - 1)
        for layer in self.context:
            x = x + layer(F.relu(x))
        return F.relu(x)

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.features(picture)
        return self.kind(x), self.color(x)


@dataclass(frozen=True)
class Sighting:
    """The judge's answer: index of kind and of colour for every cell, [H/8, W/8] each.

    KINDS[seen.kinds[16, 4]] may be "cube", and COLORS[seen.colors[16, 4]] "red".
    """

    kinds: torch.Tensor
    colors: torch.Tensor

    def appears(self, kind: str) -> bool:
        return int((self.kinds == world.KINDS.index(kind)).sum()) >= SEEN_CELLS

    def color_of(self, kind: str) -> set[str]:
        """Every colour that at least SEEN_CELLS cells of this kind have."""
        counts = self.colors[self.kinds == world.KINDS.index(kind)].bincount(minlength=len(COLORS))
        return {COLORS[index] for index in range(len(COLORS)) if counts[index] >= SEEN_CELLS}


def load_judge() -> Judge:
    judge = Judge()
    judge.load_state_dict(load_file(FILE))
    return judge.eval()


@torch.inference_mode()
def recognise(judge: Judge, pictures: torch.Tensor) -> list[Sighting]:
    """[B, H, W, 3] in [0, 1] -> one Sighting each."""
    kinds, colors = judge(pictures.movedim(-1, 1).float())
    pairs = zip(kinds.argmax(1), colors.argmax(1), strict=True)
    return [Sighting(kind, color) for kind, color in pairs]


def labels(scene: world.Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """The ground truth of a scene: kind and colour of the thing that covers most of each cell."""
    cover = F.avg_pool2d(torch.from_numpy(scene.visible)[None], CELL)[0]
    top = cover.argmax(0)
    kinds = torch.tensor([world.KINDS.index(thing.kind) for thing in scene.things])
    colors = torch.tensor([COLORS.index(thing.color) for thing in scene.things])
    return kinds[top], colors[top]
