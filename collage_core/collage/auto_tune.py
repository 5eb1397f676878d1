"""Starting values for the controls of every layer, from its visible share of the canvas.

The rule is that of "Auto-adjust layer parameters" in the authors' interface: small things keep
their words, edges and pixels, large things may be redrawn.
"""

from __future__ import annotations

import dataclasses

from ..errors import quoted
from .collage import Collage
from .layer import Layer

TOPMOST_NOISE = 0.4  # the topmost layer is mostly what the picture is about
AUTHORS_HARMONISE = 0.5  # at which the values are those of the authors


def tune(collage: Collage, harmonise: float) -> Collage:
    """The collage with noise, attract, repel and control of its shown layers set.

    With r the visible share of the canvas: attract 0.2 + 0.4 (1 - r), repel 0.9 - 0.5 r, noise
    0.5 + 0.2 r (topmost layer 0.4), control 0.3 + 0.6 (1 - r). `harmonise` from 0, preserve, to
    1 bends noise and control along a power curve, which keeps their order: 0 squares the noise
    and takes the root of the control, 1 takes the root of the noise and squares the control, and
    0.5 changes nothing. After an edit noise is not changed: it says which layers are kept.
    """
    shares = iter(collage.composite.visible_alpha.mean((0, 2, 3)).tolist())
    top = collage.shown[-1] if collage.shown else None
    layers = tuple(
        _tuned(layer, next(shares), harmonise, topmost=layer is top) if layer.visible else layer
        for layer in collage.layers
    )
    if collage.edit is not None:
        layers = tuple(
            dataclasses.replace(new, noise=old.noise)
            for new, old in zip(layers, collage.layers, strict=True)
        )
    return collage.with_settings(layers)


def _tuned(layer: Layer, share: float, harmonise: float, *, topmost: bool) -> Layer:
    bend = 4 ** (AUTHORS_HARMONISE - harmonise)
    noise = TOPMOST_NOISE if topmost else 0.5 + 0.2 * share
    return dataclasses.replace(
        layer,
        noise=_rounded(noise**bend),
        attract=_rounded(0.2 + 0.4 * (1 - share)),
        repel=_rounded(0.9 - 0.5 * share),
        control=_rounded((0.3 + 0.6 * (1 - share)) ** (1 / bend)),
    )


def _rounded(value: float) -> float:
    """Rounded to the three digits that a slider shows, which are the same on every machine."""
    return round(value, 3)


def describe_tuning(collage: Collage) -> str:
    """One line per layer with the values it got."""
    lines = []
    for number, layer in enumerate(collage.layers, 1):
        values = f"noise {layer.noise:g}, attract {layer.attract:g}, repel {layer.repel:g}"
        hidden = "is hidden and keeps its values: " if not layer.visible else ""
        lines.append(f"{number} {quoted(layer.text)}: {hidden}{values}, control {layer.control:g}")
    if collage.edit is not None:
        lines.append("! The noise is as CollageEdit set it: it says which layers are kept.")
    return "\n".join(lines) or "The collage has no layers: there is nothing to set."
