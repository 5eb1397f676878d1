"""How a run samples: its seeds, its range of steps, and how places are kept."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..errors import CollageError
from .release import PAPER_GROWTH
from .seeds import NoiseSeeds

NODE = "PerLayerNoiseKSampler"
LAST_STEP = 10000  # at least as many as any schedule has
RENOISE = ("host", "paper")


@dataclass(frozen=True)
class StepRange:
    """The steps from `start` to `end` of a schedule that several samplers share.

    Steps count from 0, and `end` is not among them. Raises CollageError for an end that is not
    after the start.
    """

    start: int = 0
    end: int = LAST_STEP

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise CollageError(
                f"{NODE}, input end_at_step: {self.end} is not after start_at_step, {self.start}, "
                f"so no step is left. Enter a larger number; {LAST_STEP} is the end of every "
                "schedule."
            )

    def of(self, sigmas: torch.Tensor) -> torch.Tensor:
        """A schedule [N + 1] of N steps -> the noise levels of the steps in this range.

        An empty schedule stays empty. Raises CollageError where it ends before this range starts.
        """
        steps = len(sigmas) - 1
        if 0 < steps <= self.start:
            raise CollageError(
                f"{NODE}, input start_at_step: {self.start} is after the last of {steps} steps. "
                f"Enter 0 to {steps - 1}."
            )
        return sigmas[self.start : self.end + 1]

    def leaves_noise(self, sigmas: torch.Tensor) -> bool:
        """Whether this range ends before the schedule does."""
        return self.end < len(sigmas) - 1


@dataclass(frozen=True, eq=False)
class SamplingPlan:
    """Seeds, the range of steps to run, and how kept cells are re-noised, one of RENOISE.

    "host" takes one noise for the whole run, as ComfyUI does, "paper" fresh noise at every step.
    growth: cells by which kept places grow at the highest noise (`release.free_cells`).

    Example: the first 12 steps of a schedule, all from seed 5.
        SamplingPlan(NoiseSeeds(5), StepRange(0, 12), "host")
    """

    seeds: NoiseSeeds
    steps: StepRange
    renoise: str
    growth: int = PAPER_GROWTH
