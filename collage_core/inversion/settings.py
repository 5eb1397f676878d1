"""What the presets of LayerTextualInversion mean."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

from ..errors import quoted

NODE = "LayerTextualInversion"
ALGORITHM = "sphere-1"  # part of the key of every result: raise it when results change
MAX_STEPS = 10_000
WARM_UP_STEPS = 3


def where(text: str, socket: str) -> str:
    """The beginning of an error message about the layer with this text."""
    return f"{NODE}, layer {quoted(text)}, input {socket}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a training runs, for example `preset_settings("default")`: 80 steps of 4 pictures.

    Pairs are (SD1.x and SD2.x, SDXL). rates: those of the first and the last step, in radians
    where the norm of a vector is fixed, else AdamW's learning rate. resolution: pixels.
    """

    steps: int
    batch: int
    rates: tuple[float, float]
    vectors: tuple[int, int]
    resolution: tuple[int, int]
    start: Literal["noun", "a"] = "noun"
    fixed_norm: bool = True
    used_sigmas: bool = True  # only the noise levels that this layer is sampled at, else all
    loss: Literal["min_snr", "plain"] = "min_snr"
    evaluate_every: int = 10
    early_stop: bool = True
    noun_dropout: float = 0.1
    collage_prompt: float = 0.5  # share of the steps that train in the collage's own prompt
    max_seconds: float = 4 * 3600.0

    def rate(self, step: int, scale: float = 1.0) -> float:
        """The rate of a step, counted from 0: a linear warm-up, then half a cosine."""
        start, end = self.rates
        if start == end:
            return scale * start
        done = step / max(1, self.steps - 1)
        rate = end + (start - end) * (1 + math.cos(math.pi * min(1.0, done))) / 2
        return scale * rate * min(1.0, (step + 1) / WARM_UP_STEPS)


PRESETS = {
    "preview": Settings(
        steps=40, batch=4, rates=(0.04, 0.004), vectors=(1, 2), resolution=(384, 512)
    ),
    "default": Settings(
        steps=80, batch=4, rates=(0.02, 0.004), vectors=(1, 2), resolution=(512, 768)
    ),
    "best": Settings(
        steps=250,
        batch=4,
        rates=(0.006, 0.001),
        vectors=(1, 2),
        resolution=(512, 1024),
        evaluate_every=25,
    ),
    "paper": Settings(
        steps=250,
        batch=4,
        rates=(4e-4, 4e-4),
        vectors=(1, 1),
        resolution=(512, 512),
        start="a",
        fixed_norm=False,
        used_sigmas=False,
        loss="plain",
        evaluate_every=50,
        early_stop=False,
        noun_dropout=0.0,
    ),
}


def preset_settings(preset: str, steps: int = 0) -> Settings:
    """The settings of one of `PRESETS`; with `steps` 0 the preset's number of steps."""
    return dataclasses.replace(PRESETS[preset], steps=steps or PRESETS[preset].steps)
