"""A look learned as a LoRA: what moves, what nothing learned gives, the table beside vectors."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from demo.bench.inversion.command import LORAS, lora
from demo.bench.inversion.tables import lora_table
from demo.evaluate.changed_scenes import paint_scenes
from demo.evaluate.collages import Case
from demo.evaluate.concepts import concepts
from demo.evaluate.learning import Learning, Method
from demo.evaluate.lora_learning import LoraTrainer
from demo.evaluate.painter import Sampling

SEED = 7_800_000  # apart from those of training and of measuring


@pytest.fixture(autouse=True)
def _inference_mode():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def learning() -> Learning:
    return Learning(Sampling(steps=2, cfg=4.0))


@pytest.fixture(scope="module")
def concept():
    return concepts(SEED, 1, 0.8)[0]


def short(steps: int) -> Method:
    method = lora("LoRA", 1e-2, 2.0)
    few = (("steps", steps), ("batch", 2), ("evaluate_every", 2))
    return dataclasses.replace(method, changes=(*method.changes, *few))


def test_the_loras_factors_move_and_nothing_else(learning, concept) -> None:
    trainer = LoraTrainer(learning._task(concept, short(2), 1))
    shared = learning.painter.model.model.diffusion_model
    kept = [shared, trainer.losses.denoiser.model, trainer.losses.text.model]
    before = [{name: p.clone() for name, p in one.named_parameters()} for one in kept]
    factors = [factor.clone() for factor in trainer.lora.parameters()]
    while not trainer.done:
        trainer.step()
    for module, values in zip(kept, before, strict=True):
        assert all(torch.equal(p, values[name]) for name, p in module.named_parameters())
    moved = [
        not torch.equal(new, old)
        for new, old in zip(trainer.lora.parameters(), factors, strict=True)
    ]
    assert all(moved)
    assert trainer.progress.step == 2
    assert trainer.passes == 2 * 2 * 2 + 2 * 16  # both ways, and two evaluations


def test_a_lora_without_steps_is_none_to_the_bit_and_one_with_steps_acts(learning, concept) -> None:
    def pictures(*loras) -> torch.Tensor:
        layer = dataclasses.replace(concept.layer, loras=loras)
        known = concept.with_layer(layer)
        case, painter = Case(known.seed, known.collage, ()), learning.painter
        inside = painter.paint(case, painter.patched(case), 1)
        other = [learning._in_place(known, "a {} before a blue wall")]
        outside = paint_scenes(other, painter.negative, painter.vae, 1, painter.sampling)
        return torch.stack((inside, outside[0]))

    plain = pictures()
    none, told = learning.learn_lora(concept, short(0), 1)
    assert told["steps"] == 0
    assert torch.equal(pictures(none), plain)
    some, told = learning.learn_lora(concept, short(2), 1)
    assert (told["steps"], told["best_step"]) == (2, 2)
    assert all((pictures(some) != plain).flatten(1).any(1))


def test_the_last_row_is_held_against_each_other_object_by_object() -> None:
    def run(name: str, number: int, value: float, obeyed: int) -> dict:
        shares = dict.fromkeys(("fidelity", "features", "colour", "texture"), value)
        costs = {"passes": 8, "cpu_seconds": 2.0}
        return {"method": name, "number": number, "obeyed": obeyed, "named": 4} | shares | costs

    # objects differ more than methods do
    values = {"vectors": (0.2, 0.5, 0.8), "LoRA": (0.3, 0.61, 0.9)}
    runs = [
        run(name, number, value, 2 + (number + (name == "LoRA")) % 2)
        for name, each in values.items()
        for number, value in enumerate(each)
    ]
    vectors, own, less = lora_table(runs, ["vectors", "LoRA"]).splitlines()[2:]
    assert vectors.startswith("| vectors | 50.0 ± 17.3 |")
    assert own.endswith("| 8 | 2 |")
    assert less.startswith("| LoRA less vectors | +10.3 ± 0.3, decided |")
    assert "| +8.3 ± 16.7, undecided |" in less
    assert ", undecided |" in lora_table(runs[:1] + runs[3:4], ["vectors", "LoRA"])


def test_lora_and_vectors_take_the_same_steps_and_views() -> None:
    _, vectors, own = LORAS
    assert own.preset == vectors.preset == "default"
    assert {name for name, _ in own.changes} == {"rates"}
    assert own.collage
    assert own.in_place == vectors.in_place
