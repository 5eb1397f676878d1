"""Harmony: the window around an object, the shipped recogniser, and the row's bookkeeping."""

from __future__ import annotations

import pytest
import torch

from demo.evaluate.collages import cases
from demo.evaluate.harmony import HARMONY_SEED, HOST, NODE, NOISES, UNGROWN, Subject, table
from demo.judges import harmony
from demo.train.harmony import FIRST_SEED, PAIRS, PATCH, UNSEEN, pairs

UNUSED_SEED = FIRST_SEED + 10 * (PAIRS + UNSEEN)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (255, 255), (120, 70)])
def test_the_window_lies_around_its_object_inside_of_the_canvas(row: int, column: int) -> None:
    mask = torch.zeros(256, 256)
    mask[row, column] = 1
    rows, columns = harmony.around(mask)
    for part, place in ((rows, row), (columns, column)):
        assert part.stop - part.start == harmony.WINDOW
        assert 0 <= part.start <= place < part.stop <= 256
    assert (rows.start, columns.start) == (72, 22) or (row, column) != (120, 70)


def test_a_pair_shows_the_same_place_in_two_lights() -> None:
    scene, collage = pairs(UNUSED_SEED, 1, lambda both: both)[0].float() / 255
    assert scene.shape == collage.shape == (3, PATCH, PATCH)
    assert 0.01 < (scene - collage).abs().mean() < 0.3


def test_the_shipped_recogniser_tells_unseen_scenes_from_their_collages() -> None:
    edge = (PATCH - harmony.WINDOW) // 2
    both = pairs(UNUSED_SEED, 24, lambda both: both)[..., edge:-edge, edge:-edge].float() / 255
    with torch.inference_mode():
        scenes, collages = harmony.load_harmony()(both.flatten(0, 1)).view(-1, 2).T
    assert (scenes > collages).float().mean() > 0.75


def test_harmony_looks_around_its_object_alone() -> None:
    model, picture = harmony.load_harmony(), torch.rand(256, 256, 3)
    mask = torch.zeros(256, 256)
    mask[100:140, 60:90] = 1
    far, near = picture.clone(), picture.clone()
    far[harmony.around(mask)[0].stop :] = 0
    near[130:150] = 0
    assert harmony.harmony(model, picture, mask) == harmony.harmony(model, far, mask)
    assert harmony.harmony(model, picture, mask) != harmony.harmony(model, near, mask)


def test_the_noise_of_the_largest_object_alone_is_varied() -> None:
    case = cases(HARMONY_SEED, 1, 0.8)[0]
    subject = Subject.of(case)
    shares = case.collage.composite.visible_alpha[0].mean((1, 2))
    objects = [index for index, kind in enumerate(case.kinds) if kind]
    assert subject.index in objects
    assert all(shares[subject.index] >= shares[index] for index in objects)
    noises = [layer.noise for layer in subject.with_noise(0.2).collage.layers]
    assert noises.pop(subject.index) == 0.2
    assert set(noises) == {0.8}


def test_the_table_has_means_errors_and_differences_of_the_same_collage() -> None:
    found = {}
    for noise in NOISES:
        found[f"{NODE} {noise:g}"] = [torch.tensor([0.5, 0.1]), torch.tensor([0.7, 0.5])]
        found[f"{UNGROWN} {noise:g}"] = [torch.tensor([0.5, 0.4]), torch.tensor([0.7, 0.6])]
        found[f"{HOST} {noise:g}"] = [torch.tensor([0.4, 0.1]), torch.tensor([0.6, 0.1])]
    rows = table(found)
    node, less = rows[f"{NODE} 0.2"], rows["node less host 0.2"]
    assert (node["fidelity"], node["fidelity_error"]) == (0.6, 0.1)
    assert (less["fidelity"], less["fidelity_error"]) == (0.1, 0.0)
    assert (less["harmony"], less["harmony_error"]) == (0.2, 0.2)
    assert rows["ungrown less host 0.2"]["harmony"] == 0.4
    assert rows["ungrown less node 0.2"]["harmony"] == 0.2
