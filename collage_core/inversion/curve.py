"""The losses of a training as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

HEIGHT, WIDTH, EDGE = 320, 512, 16
GREY, BLUE, RED = (0.75, 0.75, 0.75), (0.1, 0.3, 0.8), (0.8, 0.2, 0.2)


def loss_curve(
    losses: Sequence[float], evaluations: Sequence[tuple[int, float]], without: float
) -> torch.Tensor:
    """[1, 320, 512, 3]: grey dots for steps, a blue line for the fixed set, and a red one for its
    loss without learned words."""
    picture = torch.ones(HEIGHT, WIDTH, 3)
    dots = [(step, loss) for step, loss in enumerate(losses, 1) if math.isfinite(loss)]
    usual = sorted(loss for _, loss in dots)[: -(len(dots) // 10) or None]  # not the odd peak
    high = 1.05 * max([without, *(loss for _, loss in evaluations), *usual])
    last = max([1, len(losses), *(step for step, _ in evaluations)])

    def draw(points: torch.Tensor, colour: tuple[float, float, float], thick: int) -> None:
        x = EDGE + points[:, 0] / last * (WIDTH - 2 * EDGE)
        y = HEIGHT - EDGE - points[:, 1].clamp(max=high) / high * (HEIGHT - 2 * EDGE)
        for dy in range(thick):
            for dx in range(thick):
                picture[y.long() + dy, x.long() + dx] = picture.new_tensor(colour)

    if dots:
        draw(torch.tensor(dots, dtype=torch.float64), GREY, 2)
    draw(_line([(0, without), (last, without)]), RED, 1)
    draw(_line(evaluations), BLUE, 2)
    return picture.unsqueeze(0)


def _line(points: Sequence[tuple[float, float]]) -> torch.Tensor:
    """Points along the line through all of these, close enough to leave no gap."""
    corners = torch.tensor(points, dtype=torch.float64)
    share = torch.linspace(0, 1, WIDTH, dtype=torch.float64).view(-1, 1, 1)
    between = corners[:-1] + share * (corners[1:] - corners[:-1])
    return torch.cat([between.flatten(0, 1), corners])
