"""What a finished training has to say."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_GAIN = 0.01  # of the loss without learned words: below it nothing was learned
FAR = 85.0  # degrees from the start: the word itself is lost


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """gain: 1 - loss with / loss without the learned words, on the fixed set. passes: pictures
    through the diffusion model, (forward, backward)."""

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
        if self.gain < LEAST_GAIN:
            found.append(
                f"nothing learned: the gain of {self.gain:.1%} is below {LEAST_GAIN:.0%}; take "
                "more steps, or a layer whose look its words do not tell already"
            )
        if self.angle > FAR:
            found.append(
                f"the learned words are {self.angle:.0f} degrees from the words they started "
                "from, so the phrase may no longer be obeyed; take fewer steps"
            )
        return (*found, *self.notes)

    def text(self) -> str:
        norms = ", ".join(f"{norm:.3g} ({encoder})" for encoder, norm in self.norms.items())
        stopped = "" if self.steps == self.planned else f" of {self.planned}: stopped early"
        many = "s" if self.vectors > 1 else ""
        figures = (
            f"gain {self.gain:.1%}: loss {self.loss:.4g}, without the learned words "
            f"{self.loss_without:.4g}\n"
            f"{self.vectors} vector{many}, {self.angle:.1f} degrees from the start, norm {norms}\n"
            f"{self.steps} steps{stopped}, best at {self.best_step}, {self.seconds:.1f} s\n"
            f"diffusion model: {self.passes[0]} pictures forward, {self.passes[1]} backward"
        )
        return "\n".join([figures, *(f"warning: {warning}" for warning in self.warnings)])
