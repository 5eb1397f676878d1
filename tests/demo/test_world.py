"""The painted world: deterministic, described by its captions, and lit as one scene."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from demo import world

STORIES = list(world.STORIES)


@pytest.mark.parametrize("story", STORIES)
def test_a_seed_always_paints_the_same_scene(story: str) -> None:
    first, again, other = (world.scene(seed, story) for seed in (3, 3, 4))
    assert first.caption == again.caption
    np.testing.assert_array_equal(first.picture, again.picture)
    for layer, twin in zip(first.layers, again.layers, strict=True):
        np.testing.assert_array_equal(layer.rgba, twin.rgba)
    assert np.abs(first.picture - other.picture).max() > 0.1


@pytest.mark.parametrize("story", STORIES)
def test_every_phrase_stands_in_the_caption(story: str) -> None:
    for seed in range(12):
        scene = world.scene(seed, story, collage=False)
        for thing in scene.things:
            words = re.findall(rf"\b{thing.phrase}\b", scene.caption)
            assert len(words) == 1, (seed, thing.phrase, scene.caption)
            assert thing.kind in world.KINDS


@pytest.mark.parametrize("story", STORIES)
def test_visible_alphas_share_each_pixel(story: str) -> None:
    scene = world.scene(11, story, collage=False)
    total = scene.visible.sum(0)
    assert scene.visible.min() >= 0
    np.testing.assert_allclose(total, 1.0, atol=2e-3)  # the scenery covers the whole canvas


@pytest.mark.parametrize("story", STORIES)
def test_the_picture_has_light_and_shadow_the_collage_lacks(story: str) -> None:
    scene = world.scene(5, story)
    collage = world.flatten(scene)
    assert scene.picture.shape == collage.shape == (256, 256, 3)
    assert 0.01 < np.abs(scene.picture - collage).mean() < 0.3


def test_without_a_collage_the_picture_is_the_same() -> None:
    full, bare = world.scene(21), world.scene(21, collage=False)
    assert bare.layers == ()
    assert len(bare.things) == len(full.layers)
    assert bare.picture.shape == full.picture.shape
    assert bare.caption == full.caption


def test_the_world_needs_numpy_alone() -> None:
    for path in Path(world.__file__).parent.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in names:
                root = name.split(".")[0]
                assert root == "numpy" or root in sys.stdlib_module_names, (path.name, name)
