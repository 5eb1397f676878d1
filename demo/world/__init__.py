"""A small painted world: bento boxes, toys and cake tables, deterministic by seed.

`scene(seed)` gives a coherent picture, the collage it can be made from, and its caption.
Numpy only.
"""

from __future__ import annotations

import numpy as np

from . import bento, cake_table, toys
from .scene import SIZE, Scene, SceneLayer, flatten, render

__all__ = ["KINDS", "SIZE", "Scene", "SceneLayer", "flatten", "scene"]

# story -> (share of scenes, module)
STORIES = {"toys": (0.5, toys), "bento": (0.3, bento), "cake_table": (0.2, cake_table)}

KINDS = tuple(kind for _, module in STORIES.values() for kind in module.KINDS)


def scene(seed: int, story: str | None = None, *, collage: bool = True) -> Scene:
    """The scene of this seed; `story` asks for one of STORIES instead of a random one.

    Without `collage` it has no layers and takes half the time.
    """
    rng = np.random.default_rng(seed)
    names = list(STORIES)
    drawn = rng.choice(names, p=[STORIES[name][0] for name in names])
    caption, placed = STORIES[story or drawn][1].arrange(rng)
    return render(caption, placed, rng, collage=collage)
