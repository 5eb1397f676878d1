"""How fast a training goes, measured while it runs."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 3  # steps, of which the first one, which warms up, does not count
LONG = 60.0  # seconds of a whole run that a slow device is worth a warning for


@dataclass
class Pace:
    """Seconds spent in steps, and in looks at the fixed set, by this process alone."""

    steps: int = 0
    stepping: float = 0.0
    looks: int = 0
    looking: float = 0.0

    def stepped(self, seconds: float) -> None:
        self.stepping += seconds if self.steps else 0.0
        self.steps += 1

    def looked(self, seconds: float) -> None:
        self.looking += seconds
        self.looks += 1

    @property
    def known(self) -> bool:
        return self.steps >= FIRST

    @property
    def step_seconds(self) -> float:
        return self.stepping / (self.steps - 1)

    def seconds(self, steps: int, evaluate_every: int) -> float:
        """What so many steps take, and the looks between them."""
        looks = steps / evaluate_every
        return steps * self.step_seconds + looks * self.looking / max(1, self.looks)

    def left(self, steps: int, evaluate_every: int) -> str:
        """The rest of a run of so many more steps; nothing before it can be told."""
        if not self.known or steps <= 0:
            return ""
        rest = duration(self.seconds(steps, evaluate_every))
        return f", {self.step_seconds:.2g} s a step, {rest} left"

    def warning(self, device: str, steps: int, evaluate_every: int) -> str:
        """What a whole run on a slow device comes to; nothing where that is not long."""
        if not self.known or self.seconds(steps, evaluate_every) < LONG:
            return ""
        whole = duration(self.seconds(steps, evaluate_every))
        return (
            f"{device} is slow at learning: {self.step_seconds:.2g} s a step, about {whole} for "
            f"all {steps} steps"
        )


def duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
