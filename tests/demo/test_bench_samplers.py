"""`run.py bench samplers`: what counts as good, and one small run."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from demo.bench.samplers import Found

REPO = Path(__file__).parents[2]
GOOD = Found(kept=0.0, little=0.2, much=0.9, spread=1.0, clipped=0.1)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "good"),
        ({"kept": 1e-6}, "locked cells changed"),
        ({"much": 0.05}, "free cells are not painted"),
        ({"little": 0.5}, "little noise changes more than by itself"),
        ({"spread": 3.1}, "diverged"),
        ({"clipped": 0.6}, "diverged"),
        ({"kept": 1.0, "spread": 9.0}, "locked cells changed, diverged"),
        ({"much": math.nan}, "not finite"),
        ({"spread": math.inf}, "not finite"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, float], verdict: str) -> None:
    assert dataclasses.replace(GOOD, **change).verdict(0.25) == verdict


def test_a_small_run_prints_the_table(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "demo.bench", "samplers", "--quick"]
    given = ["--samplers", "euler,dpmpp_2m_sde", "--output", str(tmp_path)]
    done = subprocess.run([*command, *given], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads((tmp_path / "samplers.json").read_text())
    assert [row["sampler"] for row in rows] == ["euler", "dpmpp_2m_sde"]
    for row in rows:
        for way in ("host", "paper"):
            assert row[way]["kept"] == 0

    assert (tmp_path / "table.md").read_text() in done.stdout
    assert (tmp_path / "sheet.png").exists()
