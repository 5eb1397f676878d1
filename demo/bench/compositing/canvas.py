"""Time and memory of a large canvas: the stack, single layers, a blur, and pasting back."""

from __future__ import annotations

from collections.abc import Callable

import torch

from collage_core.collage.collage import Collage
from collage_core.collage.compositing import compose_bytes
from collage_core.collage.cutouts import (
    boxes,
    cutouts_bytes,
    describe_layout,
    layer_cutouts,
    mask_rows,
)
from collage_core.collage.layer import Layer
from collage_core.editing.paste_back import paste_back
from collage_core.imaging.filters import gaussian_blur
from collage_core.imaging.pixels import given_out
from collage_core.noise.noise_map import collage_noise

Work = Callable[[], object]
PLACE = tuple[float, float, float, float]  # x, y, scale, rotation
PIXELS = 1024  # a side of every layer


def collage(size: int, places: list[PLACE]) -> Collage:
    """A square canvas with one layer a place; layers cover as much of it as of a canvas of 1024."""
    generator = torch.Generator().manual_seed(0)
    layers = tuple(
        Layer(
            image=torch.rand(1, PIXELS, PIXELS, 3, generator=generator),
            alpha=torch.rand(1, PIXELS, PIXELS, generator=generator),
            text="layer",
            x=x,
            y=y,
            scale=scale * size / PIXELS,
            rotation=rotation,
        )
        for x, y, scale, rotation in places
    )
    background = torch.full((1, 1, 1, 3), 0.59).expand(1, size, size, 3)
    return Collage(width=size, height=size, prompt="a layer", background=background, layers=layers)


def stacking(size: int, places: list[PLACE]) -> Work:
    """What CollageStack keeps and outputs: the composite, and a copy of its masks."""
    whole = collage(size, places)

    def work() -> object:
        made = whole.composite
        return made, given_out(mask_rows(made.visible_alpha.transpose(0, 1)))

    return work


def giving_out(size: int, places: list[PLACE]) -> Work:
    """The same, then the outputs of CollageLayers."""
    whole = collage(size, places)

    def work() -> object:
        _ = whole.composite
        cuts = layer_cutouts(whole, None, torch.full((3,), 0.59))
        return (
            cuts,
            boxes(cuts.visible),
            collage_noise(whole, 0.8, 10.0),
            describe_layout(whole, cuts),
        )

    return work


def blurring(size: int, sigma: float) -> Work:
    image = torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(0))
    return lambda: gaussian_blur(image, sigma)


def putting_back(size: int, feather: float) -> Work:
    """Pasting back a picture in which a large disc has changed."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, size)] * 2, indexing="ij")
    noise = (x.square() + y.square() < 0.8).float()[None, None]
    original, new = torch.zeros(1, size, size, 3), torch.ones(1, size, size, 3)
    return lambda: paste_back(original, new, noise, feather)


def reckoned(size: int, places: list[PLACE]) -> dict[str, int]:
    """The bytes that the nodes require before they begin."""
    layers = [
        Layer(image=torch.zeros(1, 1, 1, 3), alpha=torch.zeros(1, 1, 1), text="layer")
        for _ in places
    ]
    background = torch.zeros(1, 1, 1, 3).expand(1, size, size, 3)
    whole = Collage(
        width=size, height=size, prompt="layer", background=background, layers=tuple(layers)
    )
    return {"stack": compose_bytes(size, size, 1, layers), "layers": cutouts_bytes(whole, 1)}
