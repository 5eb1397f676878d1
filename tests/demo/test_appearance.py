"""Appearance: 1 where nothing changed, lower for each thing that did."""

from __future__ import annotations

import pytest
import torch

from demo import world
from demo.evaluate.appearance import Appearance, appearance
from demo.judges import judge

SEED = 3


@pytest.fixture(scope="module")
def recogniser() -> judge.Judge:
    return judge.load_judge()


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.from_numpy(world.scene(SEED, "toys").picture)


@pytest.fixture(scope="module")
def mask() -> torch.Tensor:
    scene = world.scene(SEED, "toys", collage=False)
    return torch.from_numpy(scene.visible[-1])


def compare(recogniser, picture, other, mask) -> Appearance:
    return appearance(recogniser, picture, other, mask)


def test_the_same_picture_agrees_completely(recogniser, picture, mask) -> None:
    same = compare(recogniser, picture, picture, mask)
    assert same.fidelity == pytest.approx(1, abs=1e-4)


def test_what_lies_outside_the_mask_has_no_say_in_colour_and_texture(
    recogniser, picture, mask
) -> None:
    elsewhere = torch.where((mask > 0)[..., None], picture, torch.rand_like(picture))
    found = compare(recogniser, picture, elsewhere, mask)
    assert found.colour == pytest.approx(1, abs=1e-4)
    assert found.texture == pytest.approx(1, abs=1e-4)


def test_another_colour_lowers_colour_and_leaves_most_of_the_texture(
    recogniser, picture, mask
) -> None:
    found = compare(recogniser, picture, picture.flip(-1), mask)
    assert found.colour < 0.3
    assert found.texture > 0.8


def test_stripes_that_were_not_there_lower_texture(recogniser, picture, mask) -> None:
    stripes = 0.25 * (torch.arange(picture.shape[0]) // 4 % 2)[:, None, None]
    found = compare(recogniser, picture, picture * (1 - stripes), mask)
    assert found.texture < 0.8


def test_another_object_lowers_what_the_judge_sees(recogniser, picture, mask) -> None:
    other = torch.from_numpy(world.scene(SEED + 1, "bento").picture)
    assert compare(recogniser, picture, other, mask).features < 0.7


def test_light_moves_fidelity_less_than_another_object(recogniser, picture, mask) -> None:
    darker = compare(recogniser, picture, picture * 0.9, mask).fidelity
    other = torch.from_numpy(world.scene(SEED + 1, "bento").picture)
    assert darker > compare(recogniser, picture, other, mask).fidelity + 0.2
