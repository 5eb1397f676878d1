"""The report and the loss curve of a finished training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

MIN_GAIN = 0.01  # share of the loss without the embedding; with less, nothing was learned
MAX_ANGLE = 85.0  # degrees from the start; beyond, the meaning of the word is lost

# of the curve, in pixels
HEIGHT, WIDTH, MARGIN = 320, 512, 16
GREY, BLUE, RED = (0.75, 0.75, 0.75), (0.1, 0.3, 0.8), (0.8, 0.2, 0.2)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The figures of a training, for example gain 0.3, loss 0.7, loss_without 1.0, angle 40.

    gain: 1 - loss / loss_without, on the fixed set; loss_without: the loss without the learned
    words. angle: degrees between a vector and its start. norms: by text encoder. planned: the
    number of steps asked for. passes: pictures through the diffusion model, forward and backward.
    """

    gain: float
    loss: float
    loss_without: float
    angle: float
    norms: dict[str, float]
    vectors: int
    steps: int
    planned: int
    best_step: int
    passes: tuple[int, int]
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        found = []
        if self.gain < MIN_GAIN:
            found.append(
                f"nothing learned: the gain of {self.gain:.1%} is below {MIN_GAIN:.0%}; take more "
                "steps, or a layer that its text does not describe fully already"
            )
        if self.angle > MAX_ANGLE:
            found.append(
                f"the embedding is {self.angle:.0f} degrees from the words it started from, "
                "so the phrase may no longer be obeyed; take fewer steps"
            )
        return (*found, *self.notes)

    def text(self) -> str:
        norms = ", ".join(f"{norm:.3g} ({encoder})" for encoder, norm in self.norms.items())
        stopped = "" if self.steps == self.planned else f" of {self.planned}: stopped early"
        many = "s" if self.vectors > 1 else ""
        figures = (
            f"gain {self.gain:.1%}: loss {self.loss:.4g}, without the embedding "
            f"{self.loss_without:.4g}\n"
            f"{self.vectors} vector{many}, {self.angle:.1f} degrees from the start, norm {norms}\n"
            f"{self.steps} steps{stopped}, best at {self.best_step}, {self.seconds:.1f} s\n"
            f"diffusion model: {self.passes[0]} pictures forward, {self.passes[1]} backward"
        )
        return "\n".join([figures, *(f"warning: {warning}" for warning in self.warnings)])


def loss_curve(
    losses: Sequence[float], evaluations: Sequence[tuple[int, float]], baseline_loss: float
) -> torch.Tensor:
    """An IMAGE [1, 320, 512, 3] of the losses.

    Grey dots: the steps; blue line: the evaluations; red line: the baseline loss.
    """
    picture = torch.ones(HEIGHT, WIDTH, 3)
    dots = [(step, loss) for step, loss in enumerate(losses, 1) if math.isfinite(loss)]
    usual = sorted(loss for _, loss in dots)[: -(len(dots) // 10) or None]  # without rare peaks
    high = 1.05 * max([baseline_loss, *(loss for _, loss in evaluations), *usual])
    last = max([1, len(losses), *(step for step, _ in evaluations)])

    def draw(points: torch.Tensor, colour: tuple[float, float, float], thickness: int) -> None:
        x = MARGIN + points[:, 0] / last * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN - points[:, 1].clamp(max=high) / high * (HEIGHT - 2 * MARGIN)
        for dy in range(thickness):
            for dx in range(thickness):
                picture[y.long() + dy, x.long() + dx] = picture.new_tensor(colour)

    if dots:
        draw(torch.tensor(dots, dtype=torch.float64), GREY, 2)
    draw(_line([(0, baseline_loss), (last, baseline_loss)]), RED, 1)
    draw(_line(evaluations), BLUE, 2)
    return picture.unsqueeze(0)


def _line(corners: Sequence[tuple[float, float]]) -> torch.Tensor:
    """Points [N, 2] on the line through all corners, so close that no gap is seen."""
    ends = torch.tensor(corners, dtype=torch.float64)
    share = torch.linspace(0, 1, WIDTH, dtype=torch.float64).view(-1, 1, 1)
    between = ends[:-1] + share * (ends[1:] - ends[:-1])
    return torch.cat([between.flatten(0, 1), ends])
