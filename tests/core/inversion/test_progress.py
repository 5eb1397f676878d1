"""Which vectors are best, when a run is over, what a NaN step does, and how long a run takes."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from collage_core.inversion.outcome import MIN_GAIN
from collage_core.inversion.progress import Pace, Progress, duration
from collage_core.inversion.settings import preset_settings


@pytest.fixture
def progress() -> Progress:
    return Progress(preset_settings("default", 120), baseline_loss=1.0)


def run(progress: Progress, losses: list[float]) -> None:
    """Evaluate at step 0 and after every ten steps."""
    for number, loss in enumerate(losses):
        for _ in range(10 if number else 0):
            progress.stepped(0.5)
        progress.evaluated(loss, {"l": torch.tensor([[float(number)]])})


def test_the_best_vectors_are_kept(progress: Progress):
    run(progress, [0.9, 0.7, 0.8])
    assert progress.best["l"].item() == 1
    assert progress.gain == pytest.approx(0.3)
    assert progress.gain >= MIN_GAIN


def test_nothing_is_learned_below_one_percent(progress: Progress):
    run(progress, [1.0, 0.995])
    assert not progress.gain >= MIN_GAIN


def test_an_evaluation_is_due_every_ten_steps_and_at_the_end(progress: Progress):
    run(progress, [0.9])
    due = []
    for step in range(1, 121):
        progress.stepped(0.5)
        if progress.due:
            due.append(step)
    assert due == list(range(10, 121, 10))
    assert progress.done


def test_it_stops_when_five_evaluations_gain_nothing(progress: Progress):
    run(progress, [1.0, 0.5, *[0.6, 0.55, 0.7, 0.65]])
    assert not progress.done, "before step 60"
    run(progress, [0.6, 0.62])
    assert progress.done


def test_it_goes_on_while_it_gains(progress: Progress):
    run(progress, [1 - 0.05 * number for number in range(9)])
    assert not progress.done


def test_it_stops_when_the_losses_have_settled(progress: Progress):
    run(progress, [9.0, 5.0, *[1 - 0.01 * number for number in range(9)]])
    assert progress.done


def test_without_early_stop_only_the_steps_count(progress: Progress):
    progress.settings = dataclasses.replace(progress.settings, early_stop=False)
    run(progress, [0.5] * 12)
    assert not progress.done
    run(progress, [0.5, 0.5])
    assert progress.done


def test_three_bad_steps_halve_the_rate_and_three_more_end_it(progress: Progress):
    bad = [progress.stepped(loss) for loss in [math.nan, math.inf, 0.5, math.nan, math.nan]]
    assert bad == [False] * 5
    assert progress.stepped(math.nan)
    assert progress.halvings == 1
    assert not progress.done
    assert [progress.stepped(math.nan) for _ in range(3)] == [False, False, True]
    assert progress.done


def test_it_is_saved_and_loaded(progress: Progress):
    run(progress, [0.9, 0.7, 0.8])
    progress.stepped(math.nan)
    loaded = Progress(progress.settings, 5.0)
    loaded.load_state_dict(progress.state_dict())
    assert (loaded.baseline_loss, loaded.evaluations) == (1.0, progress.evaluations)
    assert loaded.step == 21
    assert loaded.nan_steps == 1
    assert torch.equal(loaded.best["l"], progress.best["l"])


def test_a_fresh_one_is_saved_and_loaded(progress: Progress):
    loaded = Progress(progress.settings, 5.0)
    loaded.load_state_dict(progress.state_dict())
    assert (loaded.step, loaded.evaluations, loaded.best) == (0, [], {})


@pytest.fixture
def pace() -> Pace:
    """20 s a step after a first one of 50 s, and 40 s an evaluation."""
    pace = Pace()
    for seconds in (50.0, 19.0, 21.0):
        pace.stepped(seconds)
    pace.evaluated(38.0)
    pace.evaluated(42.0)
    return pace


def test_a_run_is_its_steps_and_its_evaluations(pace: Pace):
    assert pace.step_seconds == 20.0
    assert pace.seconds(150, 10) == 150 * 20.0 + 15 * 40.0
    assert pace.left(147, 10) == ", 20 s a step, 59 min left"
    assert pace.warning("cpu", 150, 10) == (
        "cpu is slow at learning: 20 s a step, about 60 min for all 150 steps"
    )


def test_nothing_is_said_before_three_steps_or_when_there_is_no_need(pace: Pace):
    early = Pace()
    early.stepped(50.0)
    early.stepped(20.0)
    assert early.left(148, 10) == early.warning("cpu", 150, 10) == ""
    assert pace.left(0, 10) == ""
    assert pace.warning("cpu", 2, 10) == ""


def test_durations_are_short_to_read():
    assert [duration(s) for s in (3.4, 99.0, 600.0, 9000.0)] == ["3 s", "99 s", "10 min", "2.5 h"]
