"""What a run of training has to show: losses on a fixed set, the best vectors, when to stop.

"Is this loss informative?" (arXiv 2302.04841): the loss of a training step says nothing, so the
same pictures with the same noise are looked at again and again.
"""

from __future__ import annotations

import math
from statistics import pvariance

import torch

from .descent import Vectors
from .settings import Settings

PATIENCE = 5  # evaluations
WINDOW = 8  # evaluations
SETTLED = 0.15  # variance of the last WINDOW evaluations over that of all
SMALL = 0.002  # share of the best loss: less is no improvement
FIRST_STOP = 60  # steps
UNLUCKY = 3  # steps in a row that are not numbers


class Progress:
    """Losses of a run, step by step: `losses` of training, (step, loss) of `evaluations`."""

    def __init__(self, settings: Settings, without: float) -> None:
        self.settings = settings
        self.without = without  # the fixed set's loss with no learned word in the prompts
        self.losses: list[float] = []
        self.evaluations: list[tuple[int, float]] = []
        self.best: Vectors = {}
        self.bad_steps = 0
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
        """1 - the best loss / the loss without learned words."""
        return 1 - self.best_loss / self.without

    @property
    def done(self) -> bool:
        return self.failed or self.step >= self.settings.steps or self.settled()

    @property
    def due(self) -> bool:
        """Whether the vectors of this step are still to be evaluated."""
        seen = bool(self.evaluations) and self.evaluations[-1][0] == self.step
        last = self.step >= self.settings.steps
        return not seen and (last or self.step % self.settings.evaluate_every == 0)

    def evaluated(self, loss: float, vectors: Vectors) -> None:
        """Take in the fixed set's loss; where it is the lowest, the vectors are the best."""
        if loss < self.best_loss or not self.best:
            self.best = {name: value.clone() for name, value in vectors.items()}
        self.evaluations.append((self.step, loss))

    def stepped(self, loss: float) -> bool:
        """Take in the loss of a step; True when it was the last straw: go back to the best."""
        self.losses.append(loss)
        self.bad_steps = 0 if math.isfinite(loss) else self.bad_steps + 1
        if self.bad_steps < UNLUCKY:
            return False
        self.bad_steps = 0
        self.halvings += 1
        self.failed = self.halvings > 1
        return True

    def settled(self) -> bool:
        """Whether going on would be of no use, by the last evaluations."""
        if not self.settings.early_stop or self.step < FIRST_STOP:
            return False
        losses = [loss for _, loss in self.evaluations]
        before, lately = losses[:-PATIENCE], losses[-PATIENCE:]
        if before and min(lately) > min(before) * (1 - SMALL):
            return True
        return len(losses) > WINDOW and pvariance(losses[-WINDOW:]) < SETTLED * pvariance(losses)

    def state_dict(self) -> dict[str, torch.Tensor]:
        counts = [self.bad_steps, self.halvings, int(self.failed)]
        return {
            "without": torch.tensor(self.without, dtype=torch.float64),
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "evaluations": torch.tensor(self.evaluations, dtype=torch.float64).reshape(-1, 2),
            "counts": torch.tensor(counts),
            **{f"best.{name}": value.clone() for name, value in self.best.items()},
        }

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self.without = float(state["without"])
        self.losses = [float(loss) for loss in state["losses"].tolist()]
        self.evaluations = [(int(step), loss) for step, loss in state["evaluations"].tolist()]
        self.bad_steps, self.halvings, failed = state["counts"].tolist()
        self.failed = bool(failed)
        best = {k: v.clone() for k, v in state.items() if k.startswith("best.")}
        self.best = {name.removeprefix("best."): value for name, value in best.items()}
