"""An interrupted training repeats some steps and gives the same result."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

LEARNER = Path(__file__).with_name("learner.py")


def run(trainer, steps: int | None = None) -> None:
    until = trainer.task.settings.steps if steps is None else trainer.steps + steps
    while not trainer.done and trainer.steps < until:
        trainer.step()


def test_a_cut_off_training_ends_with_the_same_vectors(trainer):
    whole, cut = trainer(), trainer()
    run(whole)
    run(cut, 4)
    resumed = trainer()
    resumed.load_state_dict(cut.state_dict())
    assert resumed.steps == 4
    run(resumed)
    for name, vectors in whole.vectors().items():
        torch.testing.assert_close(resumed.vectors()[name], vectors, rtol=0, atol=1e-6)
    assert resumed.progress.best_loss == pytest.approx(whole.progress.best_loss)


@pytest.mark.parametrize("steps", [3, 5])
def test_an_evaluation_that_was_cut_off_is_repeated(trainer, settings, monkeypatch, steps):
    """The host's interrupt comes in the middle of anything, here of the evaluation after step 3."""
    changes = {"settings": settings(steps=steps)}
    whole, cut = trainer(**changes), trainer(**changes)
    run(whole)
    run(cut, 2)

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cut.layer_loss, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cut.step()
    assert cut.steps == 3
    resumed = trainer(**changes)
    resumed.load_state_dict(cut.state_dict())
    run(resumed)
    assert resumed.progress.evaluations == whole.progress.evaluations
    assert torch.equal(resumed.vectors()["l"], whole.vectors()["l"])


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_vectors(
    pack, part, tiny, load_module, folder, count_steps, killed_after
):
    learner = load_module(LEARNER)
    learn = part("nodes.host.inversion.run").learn
    whole, *_ = learn(learner.make_task(pack.__name__, tiny))
    (folder / f"{whole.name}.safetensors").unlink()

    with killed_after(["step 1", "step 2", "step 3"], LEARNER, folder):
        pass
    assert not list(folder.glob("*.safetensors"))

    count_steps["steps"] = 0
    resumed, _, report = learn(learner.make_task(pack.__name__, tiny))
    assert "resumed at step 2" in report
    assert count_steps["steps"] == learner.STEPS - 2
    torch.testing.assert_close(resumed.vectors["l"], whole.vectors["l"], rtol=0, atol=1e-6)
    assert [file.name for file in folder.rglob("*.*")] == [f"{whole.name}.safetensors"]
