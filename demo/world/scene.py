"""A scene of the painted world: one light, shadows, and the collage it can be made from.

An arrangement is a list of `Placed` things, bottom to top. `render` paints it twice: once
coherently (one light, shadows on everything below), and once as the separate layers of a
collage (each lit from somewhere else, without shadow, slightly off in colour).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .paint import Light, blur

SIZE = 256


@dataclass(frozen=True)
class Placed:
    """One thing on the canvas.

    kind, color: what a recogniser should answer ("" = no colour named); phrase: its words in
    the caption; draw(light) -> straight RGBA [h, w, 4]; x, y: its centre in canvas pixels;
    lift: how far above the surface it lies in pixels, which lengthens its shadow (0 = none);
    stands: it stands upright on a ground seen from the front, and throws its shadow along it.
    """

    kind: str
    color: str
    phrase: str
    draw: Callable[[Light], np.ndarray]
    x: float
    y: float
    lift: float = 4.0
    stands: bool = False


@dataclass(frozen=True)
class SceneLayer:
    """A layer of the collage: straight RGBA [h, w, 4], centre in pixels, and what it is."""

    kind: str
    color: str
    phrase: str
    rgba: np.ndarray
    x: float
    y: float


@dataclass(frozen=True)
class Scene:
    """picture: [256, 256, 3]; layers: bottom to top; visible: [L, 256, 256] alpha not hidden."""

    caption: str
    picture: np.ndarray
    layers: tuple[SceneLayer, ...]
    visible: np.ndarray


def render(caption: str, placed: list[Placed], rng: np.random.Generator) -> Scene:
    light = Light.random(rng)
    picture = np.full((SIZE, SIZE, 3), 0.6, np.float32)
    visible = np.zeros((len(placed), SIZE, SIZE), np.float32)
    layers = []
    for index, thing in enumerate(placed):
        rgba = thing.draw(light)
        rows, cols, window = _window(rgba, thing.x, thing.y)
        if thing.stands:
            picture *= _thrown(window[..., 3], rows, cols, light)[..., None]
        elif thing.lift > 0:
            picture *= _cast(window[..., 3], rows, cols, light, thing.lift)[..., None]
        alpha = window[..., 3:]
        picture[rows, cols] = picture[rows, cols] * (1 - alpha) + window[..., :3] * alpha
        visible[:index, rows, cols] *= 1 - window[..., 3]
        visible[index, rows, cols] = window[..., 3]
        layers.append(_as_layer(thing, rng))
    return Scene(caption, np.clip(picture, 0, 1), tuple(layers), visible)


def flatten(scene: Scene) -> np.ndarray:
    """The collage as it is before any harmonising: [256, 256, 3]."""
    picture = np.full((SIZE, SIZE, 3), 150 / 255, np.float32)
    for layer in scene.layers:
        rows, cols, window = _window(layer.rgba, layer.x, layer.y)
        alpha = window[..., 3:]
        picture[rows, cols] = picture[rows, cols] * (1 - alpha) + window[..., :3] * alpha
    return picture


def _as_layer(thing: Placed, rng: np.random.Generator) -> SceneLayer:
    rgba = thing.draw(Light.random(rng))
    cast = 1.0 + rng.uniform(-0.09, 0.09, 3)
    rgba[..., :3] = np.clip(rgba[..., :3] * cast * rng.uniform(0.9, 1.08), 0, 1)
    return SceneLayer(thing.kind, thing.color, thing.phrase, rgba, thing.x, thing.y)


def _window(rgba: np.ndarray, x: float, y: float) -> tuple[slice, slice, np.ndarray]:
    """The part of a tile that lies on the canvas, and where."""
    height, width = rgba.shape[:2]
    top, left = round(y - height / 2), round(x - width / 2)
    rows = slice(max(top, 0), max(min(top + height, SIZE), 0))
    cols = slice(max(left, 0), max(min(left + width, SIZE), 0))
    return rows, cols, rgba[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left]


def _cast(alpha, rows, cols, light: Light, lift: float) -> np.ndarray:
    """How much light is left on the canvas [256, 256] under an object: contact and cast shadow."""
    full = np.zeros((SIZE, SIZE), np.float32)
    full[rows, cols] = alpha
    dx = round(-light.x / light.z * lift)
    dy = round(-light.y / light.z * lift * 0.6)
    thrown = _shift(full, dy, dx)
    return (1 - 0.32 * blur(thrown, max(2, int(lift * 0.5)))) * (1 - 0.22 * blur(full, 2))


def _thrown(alpha, rows, cols, light: Light) -> np.ndarray:
    """Light left on the canvas [256, 256] behind a standing object: its silhouette, flattened
    to a quarter of its height and sheared away from the light, fading with distance."""
    full = np.zeros((SIZE, SIZE), np.float32)
    height, width = alpha.shape
    base = int(np.flatnonzero(alpha.max(1) > 0.3).max(initial=height - 1))
    lean = -light.x / light.z * 0.55
    for row in range(0, base + 1, 2):
        above = base - row
        y = rows.start + base - 1 - above // 4
        x = cols.start + round(above * lean)
        into = slice(max(x, 0), max(min(x + width, SIZE), 0))
        if 0 <= y < SIZE and into.stop > into.start:
            part = alpha[row, into.start - x : into.stop - x] * (1 - 0.6 * above / height)
            full[y, into] = np.maximum(full[y, into], part)
    contact = np.zeros_like(full)
    foot = slice(max(rows.start + base - 4, 0), min(rows.start + base + 3, SIZE))
    contact[foot, cols] = alpha[max(base - 6, 0) : base + 1].max(0)
    return (1 - 0.42 * blur(full, 2)) * (1 - 0.4 * blur(contact, 2))


def _shift(image: np.ndarray, dy: int, dx: int) -> np.ndarray:
    out = np.zeros_like(image)
    height, width = image.shape
    out[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = image[
        max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)
    ]
    return out
