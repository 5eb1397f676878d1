"""Blend modes: the colour that a picture makes with what lies below it.

The separable modes of W3C "Compositing and Blending Level 1", section 9, on sRGB values; "add" is
the sum, limited to 1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch


def mix(mode: str, below: torch.Tensor, above: torch.Tensor) -> torch.Tensor:
    """Straight colours in [0, 1] -> the colour of `above` as it shows over an opaque `below`.

    Example: a shadow, mix("multiply", wood, grey).
    """
    return MODES[mode](below, above)


def _screen(below: torch.Tensor, above: torch.Tensor) -> torch.Tensor:
    return below + above - below * above


def _overlay(below: torch.Tensor, above: torch.Tensor) -> torch.Tensor:
    return torch.where(below <= 0.5, 2 * below * above, _screen(2 * below - 1, above))


def _soft_light(below: torch.Tensor, above: torch.Tensor) -> torch.Tensor:
    low = ((16 * below - 12) * below + 4) * below
    lit = torch.where(below <= 0.25, low, below.sqrt()) - below
    return below + (2 * above - 1) * torch.where(above <= 0.5, below * (1 - below), lit)


def _add(below: torch.Tensor, above: torch.Tensor) -> torch.Tensor:
    return (below + above).clamp_(max=1)


MODES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "normal": lambda _, above: above,
    "multiply": torch.mul,
    "screen": _screen,
    "overlay": _overlay,
    "soft light": _soft_light,
    "darken": torch.minimum,
    "lighten": torch.maximum,
    "add": _add,
}
