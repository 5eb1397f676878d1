"""A training whose process is killed loses some steps and not a bit of its result."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

LEARNER = Path(__file__).with_name("learner.py")


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_vectors(
    pack, part, tiny, load_module, folder, count_steps
):
    learner = load_module(LEARNER)
    learn = part("nodes.host.inversion_run").learn
    whole = learn(learner.make_task(pack.__name__, tiny))
    (folder / f"{whole.name}.safetensors").unlink()

    command = [sys.executable, "-P", str(LEARNER), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        process.kill()
    assert said == ["step 1\n", "step 2\n", "step 3\n"]
    assert not list(folder.glob("*.safetensors"))

    count_steps["steps"] = 0
    resumed = learn(learner.make_task(pack.__name__, tiny))
    assert "taken up again at step 2" in resumed.report
    assert count_steps["steps"] == learner.STEPS - 2
    torch.testing.assert_close(resumed.vectors["l"], whole.vectors["l"], rtol=0, atol=1e-6)
    assert [file.name for file in folder.rglob("*.*")] == [f"{whole.name}.safetensors"]
