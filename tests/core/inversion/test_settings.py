"""Presets of a training."""

from __future__ import annotations

import pytest

from collage_core.inversion.settings import PRESETS, preset_settings


def test_the_presets_are_those_of_the_contract():
    assert list(PRESETS) == ["preview", "default", "best", "paper"]
    assert [PRESETS[name].steps for name in PRESETS] == [40, 80, 250, 250]
    assert [PRESETS[name].vectors for name in PRESETS] == [(1, 2), (1, 2), (1, 2), (1, 1)]


def test_no_steps_means_the_presets():
    assert preset_settings("best").steps == 250
    assert preset_settings("best", 7).steps == 7
    assert preset_settings("paper", 10_000).steps == 10_000


def test_the_rate_warms_up_and_then_falls():
    settings = preset_settings("default")
    rates = [settings.rate(step) for step in range(settings.steps)]
    assert rates[0] < rates[1] < rates[2]
    assert rates[2] == pytest.approx(0.02, rel=2e-3)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] == pytest.approx(0.004)
    assert settings.rate(50, scale=0.5) == pytest.approx(rates[50] / 2)


def test_the_paper_keeps_one_rate():
    assert {preset_settings("paper").rate(step) for step in (0, 1, 100, 249)} == {4e-4}
