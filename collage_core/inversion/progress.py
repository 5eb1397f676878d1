"""Losses, the best vectors, early stopping and speed of a training.

"Is this loss informative?" (arXiv 2302.04841): the loss of a single step is mostly noise. So the
vectors are evaluated on a fixed set, the same pictures with the same noise every time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import pvariance

import torch

from ..storage.embedding_file import Vectors
from .settings import Settings

PATIENCE = 5  # evaluations without an improvement until a training stops
MIN_IMPROVEMENT = 0.002  # share of the best loss
WINDOW = 8  # evaluations whose variance is compared with that of all
SETTLED_VARIANCE = 0.15  # share of the variance of all evaluations
MIN_STEPS = 60  # before an early stop
MAX_NAN_STEPS = 3  # in a row
MEASURED_STEPS = 3  # before a speed is known; the first of them warms up and does not count
LONG_RUN_SECONDS = 60.0  # from here on a slow device is worth a warning


class Progress:
    """The losses of a run: `losses` of the steps and (step, loss) of the `evaluations`.

        progress = Progress(settings, baseline_loss=1.0)
        progress.evaluated(0.9, vectors)  # at step 0
        progress.stepped(1.1)
        progress.due, progress.gain, progress.done  # False, 0.1, False

    baseline_loss: the loss on the fixed set with no learned vector in the prompts.
    """

    def __init__(self, settings: Settings, baseline_loss: float) -> None:
        self.settings, self.baseline_loss = settings, baseline_loss
        self.losses: list[float] = []
        self.evaluations: list[tuple[int, float]] = []
        self.best: Vectors = {}
        self.nan_steps = 0
        self.halvings = 0
        self.failed = False

    @property
    def step(self) -> int:
        return len(self.losses)

    @property
    def best_loss(self) -> float:
        return min((loss for _, loss in self.evaluations), default=math.inf)

    @property
    def gain(self) -> float:
        """1 - best loss / baseline loss."""
        return 1 - self.best_loss / self.baseline_loss

    @property
    def done(self) -> bool:
        return self.failed or self.step >= self.settings.steps or self.settled()

    @property
    def due(self) -> bool:
        """Whether the vectors of this step have to be evaluated now."""
        evaluated = bool(self.evaluations) and self.evaluations[-1][0] == self.step
        last = self.step >= self.settings.steps
        return not evaluated and (last or self.step % self.settings.evaluate_every == 0)

    def evaluated(self, loss: float, vectors: Vectors) -> None:
        """Record the loss on the fixed set; the vectors with the lowest loss become `best`."""
        if loss < self.best_loss or not self.best:
            self.best = {name: value.clone() for name, value in vectors.items()}
        self.evaluations.append((self.step, loss))

    def stepped(self, loss: float) -> bool:
        """Record the loss of a step. True after three NaN or infinite losses in a row: restart
        from the best vectors. The second restart ends the training as `failed`."""
        self.losses.append(loss)
        self.nan_steps = 0 if math.isfinite(loss) else self.nan_steps + 1
        if self.nan_steps < MAX_NAN_STEPS:
            return False
        self.nan_steps = 0
        self.halvings += 1
        self.failed = self.halvings > 1
        return True

    def settled(self) -> bool:
        """Whether the last evaluations show that more steps will not improve the vectors."""
        if not self.settings.early_stop or self.step < MIN_STEPS:
            return False
        losses = [loss for _, loss in self.evaluations]
        before, recent = losses[:-PATIENCE], losses[-PATIENCE:]
        if before and min(recent) > min(before) * (1 - MIN_IMPROVEMENT):
            return True
        if len(losses) <= WINDOW:
            return False
        return pvariance(losses[-WINDOW:]) < SETTLED_VARIANCE * pvariance(losses)

    def state_dict(self) -> dict[str, torch.Tensor]:
        counts = [self.nan_steps, self.halvings, int(self.failed)]
        return {  # the names are those of the saved files
            "without": torch.tensor(self.baseline_loss, dtype=torch.float64),
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "evaluations": torch.tensor(self.evaluations, dtype=torch.float64).reshape(-1, 2),
            "counts": torch.tensor(counts),
            **{f"best.{name}": value.clone() for name, value in self.best.items()},
        }

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self.baseline_loss = float(state["without"])
        self.losses = [float(loss) for loss in state["losses"].tolist()]
        self.evaluations = [(int(step), loss) for step, loss in state["evaluations"].tolist()]
        self.nan_steps, self.halvings, failed = state["counts"].tolist()
        self.failed = bool(failed)
        best = {k: v.clone() for k, v in state.items() if k.startswith("best.")}
        self.best = {name.removeprefix("best."): value for name, value in best.items()}


@dataclass
class Pace:
    """Seconds that this process has spent in steps and in evaluations.

    The first step warms up: it is counted, its seconds are not.
    """

    steps: int = 0
    stepping: float = 0.0
    evaluations: int = 0
    evaluating: float = 0.0

    def stepped(self, seconds: float) -> None:
        self.stepping += seconds if self.steps else 0.0
        self.steps += 1

    def evaluated(self, seconds: float) -> None:
        self.evaluating += seconds
        self.evaluations += 1

    @property
    def known(self) -> bool:
        return self.steps >= MEASURED_STEPS

    @property
    def step_seconds(self) -> float:
        return self.stepping / (self.steps - 1)

    def seconds(self, steps: int, evaluate_every: int) -> float:
        """The time that so many steps take, with the evaluations between them."""
        evaluations = steps / evaluate_every
        each = self.evaluating / max(1, self.evaluations)
        return steps * self.step_seconds + evaluations * each

    def left(self, steps: int, evaluate_every: int) -> str:
        """The time for so many more steps as the end of a line; empty until it is known."""
        if not self.known or steps <= 0:
            return ""
        rest = duration(self.seconds(steps, evaluate_every))
        return f", {self.step_seconds:.2g} s a step, {rest} left"

    def warning(self, device: str, steps: int, evaluate_every: int) -> str:
        """The time that a whole run takes on a slow device; empty where that is short."""
        if not self.known or self.seconds(steps, evaluate_every) < LONG_RUN_SECONDS:
            return ""
        whole = duration(self.seconds(steps, evaluate_every))
        return (
            f"{device} is slow at learning: {self.step_seconds:.2g} s a step, about {whole} for "
            f"all {steps} steps"
        )


def duration(seconds: float) -> str:
    """Seconds as "99 s", "10 min" or "2.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
