"""What a run does about noise, beyond how much of it every place gets."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import CollageError, quoted
from .seeds import NoiseSeeds
from .step_range import StepPart

RENOISE = ("host", "paper")


@dataclass(frozen=True, eq=False)
class NoisePlan:
    """Which seeds it comes from, in which steps it is taken away, what kept cells are put under.

    The last is one of RENOISE: "host" is one noise for the whole run, "paper" a fresh one at
    every step. Raises CollageError for anything else.
    """

    seeds: NoiseSeeds
    part: StepPart
    renoise: str

    def __post_init__(self) -> None:
        if self.renoise not in RENOISE:
            raise CollageError(
                f"PerLayerNoiseKSampler, input renoise: {quoted(self.renoise)} is not known. "
                f"Choose {' or '.join(RENOISE)}."
            )
