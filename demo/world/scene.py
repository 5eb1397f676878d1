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
    """picture: [256, 256, 3]; things and layers: bottom to top, the layers empty without a
    collage; visible: [L, 256, 256] alpha not hidden."""

    caption: str
    picture: np.ndarray
    things: tuple[Placed, ...]
    layers: tuple[SceneLayer, ...]
    visible: np.ndarray


def render(
    caption: str, placed: list[Placed], rng: np.random.Generator, *, collage: bool = True
) -> Scene:
    """Paint an arrangement; without `collage` the layers are left out, for half the work."""
    light = Light.random(rng)
    picture = np.full((SIZE, SIZE, 3), 0.6, np.float32)
    visible = np.zeros((len(placed), SIZE, SIZE), np.float32)
    layers = []
    for index, thing in enumerate(placed):
        rgba = thing.draw(light)
        rows, cols, window = _window(rgba, thing.x, thing.y)
        if thing.stands or thing.lift > 0:
            near = _grow(rows, cols, window.shape[0] if thing.stands else int(3 * thing.lift) + 8)
            alpha = _moved(window[..., 3], rows, cols, near)
            dark = _thrown(alpha, light) if thing.stands else _cast(alpha, light, thing.lift)
            picture[near] *= dark[..., None]
        alpha = window[..., 3:]
        picture[rows, cols] = picture[rows, cols] * (1 - alpha) + window[..., :3] * alpha
        visible[:index, rows, cols] *= 1 - window[..., 3]
        visible[index, rows, cols] = window[..., 3]
        if collage:
            layers.append(_as_layer(thing, rng))
    return Scene(caption, np.clip(picture, 0, 1), tuple(placed), tuple(layers), visible)


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
    cast = 1.0 + rng.uniform(-0.06, 0.06, 3)
    rgba[..., :3] = np.clip(rgba[..., :3] * cast * rng.uniform(0.9, 1.08), 0, 1)
    return SceneLayer(thing.kind, thing.color, thing.phrase, rgba, thing.x, thing.y)


def _window(rgba: np.ndarray, x: float, y: float) -> tuple[slice, slice, np.ndarray]:
    """The part of a tile that lies on the canvas, and where."""
    height, width = rgba.shape[:2]
    top, left = round(y - height / 2), round(x - width / 2)
    rows = slice(max(top, 0), max(min(top + height, SIZE), 0))
    cols = slice(max(left, 0), max(min(left + width, SIZE), 0))
    return (
        rows,
        cols,
        rgba[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left],
    )


def _grow(rows: slice, cols: slice, margin: int) -> tuple[slice, slice]:
    """The part of the canvas that a shadow can reach."""
    return (
        slice(max(rows.start - margin // 3, 0), min(rows.stop + margin // 3, SIZE)),
        slice(max(cols.start - margin, 0), min(cols.stop + margin, SIZE)),
    )


def _moved(alpha: np.ndarray, rows: slice, cols: slice, near: tuple[slice, slice]) -> np.ndarray:
    """The silhouette on a sheet as large as the region `near`."""
    height, width = (part.stop - part.start for part in near)
    sheet = np.zeros((height, width), np.float32)
    top, left = rows.start - near[0].start, cols.start - near[1].start
    sheet[top : top + alpha.shape[0], left : left + alpha.shape[1]] = alpha
    return sheet


def _cast(alpha: np.ndarray, light: Light, lift: float) -> np.ndarray:
    """How much light is left [H, W] under a lying object: contact and cast shadow."""
    dx = round(-light.x / light.z * lift)
    dy = round(-light.y / light.z * lift * 0.6)
    thrown = _shift(alpha, dy, dx)
    return (1 - 0.32 * blur(thrown, max(2, int(lift * 0.5)))) * (1 - 0.22 * blur(alpha, 2))


def _thrown(alpha: np.ndarray, light: Light) -> np.ndarray:
    """Light left [H, W] behind a standing object: its silhouette, flattened to a third of its
    height and sheared away from the light, fading with distance."""
    rows = np.flatnonzero(alpha.max(1) > 0.3)
    top, base = (rows[0], rows[-1]) if rows.size else (0, 0)
    lean = -light.x / light.z * 0.55
    thrown = np.zeros_like(alpha)
    for row in range(top, base + 1, 2):
        above = base - row
        fading = alpha[row] * (1 - 0.6 * above / (base - top + 1))
        line = thrown[base - 1 - above // 3]
        np.maximum(line, _shift(fading[None], 0, round(above * lean))[0], out=line)
    contact = np.zeros_like(alpha)
    contact[max(base - 4, 0) : base + 3] = alpha[max(base - 6, 0) : base + 1].max(0)
    return (1 - 0.42 * blur(thrown, 2)) * (1 - 0.4 * blur(contact, 2))


def _shift(image: np.ndarray, dy: int, dx: int) -> np.ndarray:
    out = np.zeros_like(image)
    height, width = image.shape
    if abs(dy) < height and abs(dx) < width:
        out[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = image[
            max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)
        ]
    return out
