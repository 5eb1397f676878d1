"""Part of a schedule: the steps one sampler takes of those that several share."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..errors import CollageError

NODE = "PerLayerNoiseKSampler"
ALL = 10000  # at least as many as any schedule has


@dataclass(frozen=True)
class StepPart:
    """The steps from `start` up to `end`, counted from 0, `end` not among them.

    Raises CollageError for a start below 0 and an end that is not after it.
    """

    start: int = 0
    end: int = ALL

    def __post_init__(self) -> None:
        if self.start < 0:
            raise CollageError(
                f"{NODE}, input start_at_step: {self.start} is below 0. "
                "Enter 0 to begin with the first step."
            )
        if self.end <= self.start:
            raise CollageError(
                f"{NODE}, input end_at_step: {self.end} is not after start_at_step, {self.start}, "
                f"so no step is left. Enter a larger number; {ALL} is the end of every schedule."
            )

    def of(self, sigmas: torch.Tensor) -> torch.Tensor:
        """A schedule [N + 1] of N steps -> the levels between which this part steps.

        An empty schedule stays empty. Raises CollageError when it ends before this part starts.
        """
        steps = len(sigmas) - 1
        if 0 < steps <= self.start:
            raise CollageError(
                f"{NODE}, input start_at_step: {self.start} is after the last of {steps} steps. "
                f"Enter 0 to {steps - 1}."
            )
        return sigmas[self.start : self.end + 1]

    def leaves_noise(self, sigmas: torch.Tensor) -> bool:
        """Whether this part ends before the schedule does."""
        return self.end < len(sigmas) - 1
