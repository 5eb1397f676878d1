"""Layers of random pixels and of one colour."""

from __future__ import annotations

from typing import Any

import torch

from collage_core.collage.layer import Layer


def layer(image: torch.Tensor, alpha: torch.Tensor, **place: Any) -> Layer:
    return Layer(image=image, alpha=alpha, text="thing", **place)


def random_layer(generator: torch.Generator, batch: int, h: int, w: int, **place: Any) -> Layer:
    image = torch.rand(batch, h, w, 3, generator=generator)
    return layer(image, torch.rand(batch, h, w, generator=generator), **place)


def opaque(
    h: int, w: int, colour: tuple[float, float, float] = (1.0, 1.0, 1.0), **place: Any
) -> Layer:
    return layer(torch.tensor(colour).expand(1, h, w, 3), torch.ones(1, h, w), **place)
