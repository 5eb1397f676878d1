"""A recogniser of the painted world, used only for measuring.

It names the kind, the colour and the pattern of every 8 x 8 pixel cell. It has seen the world
alone, never a picture that the demo model made.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from .. import world
from ..world.toys.solids import PATTERNS as TOY_PATTERNS

CELL = 8
COLORS = ("", "red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "grey")
PATTERNS = ("", *TOY_PATTERNS)
FILE = Path(__file__).parents[1] / "weights" / "judge.safetensors"
APPEARS = 0.5  # of an object's expected cells


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside the identity; the first sees cells that lie `step` apart."""

    def __init__(self, width: int, step: int = 1):
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.first = nn.Conv2d(width, width, 3, 1, step, step)
        self.second = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(F.silu(self.first(F.silu(self.norm(x)))))


class Trunk(nn.Module):
    """[B, 3, H, W] in [0, 1] -> what a head reads, [B, width, H/8, W/8]."""

    def __init__(self, fine: int = 64, width: int = 96):
        super().__init__()
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(48, fine, 3, 1, 1),
            Residual(fine),
            nn.Conv2d(fine, width, 4, 2, 1),
        )
        self.context = nn.Sequential(*(Residual(width, step) for step in (1, 2, 4, 1)))
        self.norm = nn.GroupNorm(8, width)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        return F.silu(self.norm(self.context(self.stem(picture * 2 - 1))))


class Judge(nn.Module):
    """[B, 3, H, W] in [0, 1] -> logits of kind, colour and pattern, each [B, classes, H/8, W/8].

    Patterns are seen by a trunk of their own: few objects have one, and beside the kinds of all
    cells they are learned badly. expected: [K], the cells that an object of each kind usually has.
    """

    def __init__(self, width: int = 96):
        super().__init__()
        self.trunk, self.pattern_trunk = Trunk(width=width), Trunk(width=width)
        classes = (len(world.KINDS), len(COLORS), len(PATTERNS))
        self.heads = nn.ModuleList(nn.Conv2d(width, count, 1) for count in classes)
        self.expected: torch.Tensor
        self.register_buffer("expected", torch.ones(len(world.KINDS)))

    def features(self, picture: torch.Tensor) -> torch.Tensor:
        """What the heads of kind and colour read: [B, width, H/8, W/8]."""
        return self.trunk(picture)

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, ...]:
        seen, kind, color = self.features(picture), *self.heads[:2]
        return kind(seen), color(seen), self.patterns(picture)

    def patterns(self, picture: torch.Tensor) -> torch.Tensor:
        """The logits of the pattern alone."""
        return self.heads[2](self.pattern_trunk(picture))


@dataclass(frozen=True)
class Sighting:
    """What the judge sees: kind, colour and pattern index of every cell, each [H/8, W/8].

    expected: [K], the cells that an object of each kind usually has.
    """

    kinds: torch.Tensor
    colors: torch.Tensor
    patterns: torch.Tensor
    expected: torch.Tensor

    def shows(
        self, kind: str, color: str | None = None, pattern: str | None = None, count: int = 1
    ) -> bool:
        """Whether half of the cells that `count` such objects usually have look like them.

        color, pattern: one of COLORS and PATTERNS that the cells have to have too; None is any.
        """
        index = world.KINDS.index(kind)
        found = self.kinds == index
        if color is not None:
            found = found & (self.colors == COLORS.index(color))
        if pattern is not None:
            found = found & (self.patterns == PATTERNS.index(pattern))
        return float(found.sum()) >= APPEARS * count * float(self.expected[index])


def load_judge() -> Judge:
    judge = Judge()
    judge.load_state_dict(load_file(FILE))
    return judge.float().eval()


@torch.inference_mode()
def recognise(judge: Judge, pictures: torch.Tensor) -> list[Sighting]:
    """[B, H, W, 3] in [0, 1] -> one Sighting each."""
    logits = judge(pictures.movedim(-1, 1).float())
    seen = zip(*(one.argmax(1) for one in logits), strict=True)
    return [Sighting(*one, expected=judge.expected) for one in seen]


def labels(scene: world.Scene) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The truth of a scene: kind, colour and pattern of what covers most of each cell."""
    top = owners(scene)
    kinds = torch.tensor([world.KINDS.index(thing.kind) for thing in scene.things])
    colors = torch.tensor([COLORS.index(thing.color) for thing in scene.things])
    patterns = torch.tensor([pattern_of(thing.phrase) for thing in scene.things])
    return kinds[top], colors[top], patterns[top]


def owners(scene: world.Scene) -> torch.Tensor:
    """The index of the thing that covers most of each cell, [H/8, W/8]."""
    return F.avg_pool2d(torch.from_numpy(scene.visible)[None], CELL)[0].argmax(0)


def pattern_of(phrase: str) -> int:
    """Index into PATTERNS of the pattern that the phrase names."""
    named = [index for index, word in enumerate(PATTERNS) if word and word in phrase.split()]
    return named[0] if named else 0
