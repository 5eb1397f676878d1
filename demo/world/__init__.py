"""A small painted world: bento boxes, toys and cake tables, deterministic by seed.

`scene(seed)` gives a coherent picture, the collage it can be made from, and its caption.
Numpy only.

Modules
    bento       the story of bento boxes
    toys        the story of toys
    cake_table  the story of cakes in a festive room
    scene       one light, shadows, and the collage of a scene
    looks       toys with looks that no caption names
    relief      a tile of colours and normals, lit later
    paint       signed distances become shaded shapes
    backdrop    a wall and floor, and a window with its winter view
"""

from __future__ import annotations

import numpy as np

from .bento import arrangement as bento
from .cake_table import arrangement as cake_table
from .scene import SIZE, Scene, SceneLayer, flatten, render
from .toys import arrangement as toys

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
