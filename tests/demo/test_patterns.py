"""The judge's eye for patterns: what it learns from, and what its training leaves alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from demo import world
from demo.judges import judge
from demo.train import patterns, workshop


def test_a_scene_to_learn_from_tells_each_toy_s_pattern() -> None:
    seeds = range(patterns.FIRST_SEED, patterns.FIRST_SEED + 8)
    found = {seed: patterns.example(seed) for seed in seeds}
    assert {example is None for example in found.values()} == {True, False}
    for seed, example in found.items():
        things = world.scene(seed, "toys", collage=False).things
        named = [judge.pattern_of(thing.phrase) for thing in things]
        if example is None:
            assert not any(named)
            continue
        _, told, owners = map(torch.from_numpy, example)
        for index, thing in enumerate(things):
            where = owners == index + 1
            if thing.kind in patterns.GROUNDS:
                assert not where.any()
            assert (told[where] == named[index]).all()
        assert (told[owners == 0] == 0).all()


def test_kinds_and_colours_are_told_as_before(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "judge.safetensors"
    shutil.copy(judge.FILE, file)
    monkeypatch.setattr(judge, "FILE", file)
    monkeypatch.setattr(workshop, "WORKSHOP", tmp_path)
    monkeypatch.setattr(workshop, "LOG", tmp_path / "log.jsonl")
    monkeypatch.setattr(patterns, "SCENES", 16)
    monkeypatch.setattr(patterns, "UNSEEN", 4)
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = judge.load_judge()(picture)
    patterns.train(batches=2)
    with torch.no_grad():
        after = judge.load_judge()(picture)
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    assert not torch.allclose(before[2], after[2], atol=1e-3)
    last = (tmp_path / "log.jsonl").read_text().splitlines()[-1]
    assert '"patterned_right"' in last


@pytest.mark.parametrize(("told", "right"), [(1, 1.0), (2, 0.0)])
def test_a_toy_is_right_when_most_of_its_cells_are(monkeypatch, told: int, right: float) -> None:
    """Of one striped toy of twelve cells, seven are seen as `told`, the others as striped."""
    owners = torch.zeros(32, 32, dtype=torch.uint8)
    owners.view(-1)[:12] = 3
    seen = torch.ones(32, 32, dtype=torch.long)
    seen.view(-1)[:7] = told
    sighting = judge.Sighting(seen, seen, seen, torch.ones(len(world.KINDS)))
    monkeypatch.setattr(judge, "recognise", lambda *_: [sighting])
    data = [torch.zeros(1, 256, 256, 3).numpy(), (owners > 0)[None].byte().numpy()]
    found = patterns.accuracy(judge.Judge(), [*data, owners[None].numpy()])
    assert (found["patterned"], found["patterned_right"]) == (1, right)
