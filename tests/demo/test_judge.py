"""The judge's rules: an object appears when half of its usual cells look like it."""

from __future__ import annotations

import pytest
import torch

from demo import world
from demo.evaluate.prompts import Prompt, Thing, score
from demo.evaluate.realism import frechet_distance
from demo.judges import judge

BALL, WALL = world.KINDS.index("ball"), world.KINDS.index("wall")
EXPECTED = 20.0


def sighting(cells: int, color: str = "red", pattern: str = "striped") -> judge.Sighting:
    """A wall, and a ball of that many cells."""
    kinds, colors = torch.full((32, 32), WALL), torch.zeros(32, 32, dtype=torch.long)
    patterns = colors.clone()
    for labels, value in (
        (kinds, BALL),
        (colors, judge.COLORS.index(color)),
        (patterns, judge.PATTERNS.index(pattern)),
    ):
        labels.view(-1)[:cells] = value
    return judge.Sighting(kinds, colors, patterns, torch.full((len(world.KINDS),), EXPECTED))


@pytest.mark.parametrize(("cells", "shown"), [(9, False), (10, True), (19, True)])
def test_half_of_the_usual_cells_make_an_object(cells: int, shown: bool) -> None:
    assert sighting(cells).shows("ball") == shown
    assert sighting(cells).shows("ball", "red", "striped") == shown
    assert not sighting(cells).shows("ball", "blue")
    assert not sighting(cells).shows("ball", "red", "dotted")


def test_two_objects_of_a_kind_need_twice_the_cells() -> None:
    assert not sighting(19).shows("ball", count=2)
    assert sighting(20).shows("ball", count=2)


def test_the_labels_of_a_scene_name_kind_colour_and_pattern() -> None:
    scene = world.scene(3, "toys", collage=False)
    owner = judge.owners(scene)
    kinds, colors, patterns = judge.labels(scene)
    for index, thing in enumerate(scene.things):
        own = owner == index
        assert (kinds[own] == world.KINDS.index(thing.kind)).all()
        assert (colors[own] == judge.COLORS.index(thing.color)).all()
        words = thing.phrase.split()
        named = [pattern for pattern in judge.PATTERNS if pattern in words]
        assert (patterns[own] == judge.PATTERNS.index(named[0] if named else "")).all()


def test_a_prompt_is_scored_thing_by_thing(monkeypatch) -> None:
    monkeypatch.setattr(judge, "load_judge", lambda: None)
    monkeypatch.setattr(judge, "recognise", lambda *_: [sighting(12), sighting(12)])
    things = (Thing("ball", "red", "striped"), Thing("ball", "blue", ""))
    nothing = torch.zeros(0)
    prompts = [Prompt("", things, nothing), Prompt("", things[:1], nothing)]
    found = score(prompts, nothing)
    assert found["1 objects"] == {
        "objects": 1, "appear": 1.0, "right_color": 1.0, "right_pattern": 1.0
    }  # fmt: skip
    # twelve cells are one ball, not two; they are red, and none is blue
    assert found["2 objects"]["appear"] == 0.0
    assert found["2 objects"]["right_color"] == 0.5


def test_the_frechet_distance_of_known_gaussians(generator: torch.Generator) -> None:
    one = torch.randn(4000, 3, generator=generator, dtype=torch.float64)
    one = (one - one.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(one.T.cov())).T
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(one, one + 2) == pytest.approx(3 * 4, rel=1e-9)
    # standard deviations 1 and 3: (3 - 1)^2 in each of the three directions
    assert frechet_distance(one, 3 * one) == pytest.approx(3 * 4, rel=1e-9)
