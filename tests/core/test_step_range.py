"""Which steps of a schedule a sampler takes."""

from __future__ import annotations

import pytest
import torch

from collage_core.errors import CollageError
from collage_core.noise.plan import StepRange

SIGMAS = torch.tensor([14.0, 6.0, 2.0, 0.5, 0.0])  # four steps
NONE = torch.zeros(0)


@pytest.mark.parametrize(
    ("part", "levels", "leaves_noise"),
    [
        (StepRange(), [14.0, 6.0, 2.0, 0.5, 0.0], False),
        (StepRange(0, 4), [14.0, 6.0, 2.0, 0.5, 0.0], False),
        (StepRange(0, 3), [14.0, 6.0, 2.0, 0.5], True),
        (StepRange(1, 2), [6.0, 2.0], True),
        (StepRange(3), [0.5, 0.0], False),
    ],
)
def test_part_steps_between_its_levels(
    part: StepRange, levels: list[float], leaves_noise: bool
) -> None:
    assert part.of(SIGMAS).tolist() == levels
    assert part.leaves_noise(SIGMAS) == leaves_noise


def test_parts_in_a_row_take_every_step_once() -> None:
    first, second = StepRange(0, 2).of(SIGMAS), StepRange(2).of(SIGMAS)
    assert torch.equal(torch.cat([first, second[1:]]), SIGMAS)


def test_no_schedule_has_no_part() -> None:
    part = StepRange(3, 7)
    assert part.of(NONE).tolist() == []
    assert not part.leaves_noise(NONE)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (3, 3, r"input end_at_step: 3 is not after start_at_step, 3, so no step is left"),
        (3, 2, r"input end_at_step: 2 is not after start_at_step, 3"),
        (0, 0, r"input end_at_step: 0 is not after start_at_step, 0"),
        (4, 9, r"input start_at_step: 4 is after the last of 4 steps\. Enter 0 to 3"),
    ],
)
def test_parts_without_a_step_are_refused(start: int, end: int, message: str) -> None:
    with pytest.raises(CollageError, match=f"^PerLayerNoiseKSampler, {message}"):
        StepRange(start, end).of(SIGMAS)
