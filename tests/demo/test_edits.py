"""Bytes changed outside of an edit: how they are counted, and one round by each way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from demo.evaluate.edits import (
    BARE,
    HOST,
    NODES,
    OBJECTS,
    Editor,
    Round,
    busy_cases,
    count_changes,
    saved,
    summary,
)
from demo.evaluate.painter import Painter, Sampling


@pytest.fixture(scope="module")
def painter():
    with torch.inference_mode():
        yield Painter(Sampling(steps=2, cfg=2.0))


def test_bytes_are_those_that_the_host_saves() -> None:
    picture = torch.linspace(-0.1, 1.1, 3 * 999).view(-1, 3)
    host = np.clip(255.0 * picture.numpy(), 0, 255).astype(np.uint8)
    assert np.array_equal(saved(picture).numpy(), host)


def test_inside_and_outside_are_counted_apart() -> None:
    before, region = torch.zeros(8, 8, 3), torch.zeros(8, 8, dtype=torch.bool)
    region[:4] = True
    after = before.clone()
    after[:4] = 10 / 255
    after[4, 0, 0] = 96.5 / 255
    turn, still = Round(before, after, region), Round(before, before, region)
    assert summary([count_changes(turn), count_changes(still)]) == {
        "changed_outside": 1,
        "share_outside": round(1 / 192, 4),
        "share_outside_range": [0, round(1 / 96, 4)],
        "mean_outside": 0.5,
        "mean_outside_range": [0, 1],
        "mean_inside": 5,
        "mean_inside_range": [0, 10],
    }


def test_the_collages_have_enough_objects_to_edit() -> None:
    ((case, objects),) = busy_cases(1, 0.8)
    assert len(set(objects)) >= OBJECTS
    assert all(case.kinds[index] for index in objects)


@pytest.mark.parametrize("way", [NODES, BARE, HOST])
def test_only_pasting_back_leaves_every_other_byte_alone(painter, way: str) -> None:
    ((case, objects),) = busy_cases(1, 0.8)
    with torch.inference_mode():
        turn = Editor(painter, way, case, case.collage.composite.image[0]).edit(objects[1], 0.8, 3)
    found = summary([count_changes(turn)])
    assert found["mean_inside"] > 2
    assert 0.01 < turn.region.float().mean() < 0.5
    assert (found["changed_outside"] == 0) == (way == NODES)
