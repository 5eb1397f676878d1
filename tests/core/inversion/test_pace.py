"""How long a run will take, after its first steps."""

from __future__ import annotations

import pytest

from collage_core.inversion.pace import Pace, duration


@pytest.fixture
def pace() -> Pace:
    """20 s a step after a first one of 50 s, and 40 s a look."""
    pace = Pace()
    for seconds in (50.0, 19.0, 21.0):
        pace.stepped(seconds)
    pace.looked(38.0)
    pace.looked(42.0)
    return pace


def test_a_run_is_its_steps_and_its_looks(pace: Pace):
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
