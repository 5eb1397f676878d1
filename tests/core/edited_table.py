"""A table with a cup, a hidden jug and a cake, and edits of a picture of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from collage_core.collage.collage import Collage, Edit
from collage_core.collage.layer import Layer
from collage_core.editing.edit import edit
from collage_core.editing.request import EditRequest
from collage_core.errors import CollageError

H, W = 48, 64


def layer(text: str, tone: float = 0.9, **settings: Any) -> Layer:
    """An opaque box of 16 x 16 pixels."""
    image, alpha = torch.full((1, 16, 16, 3), tone), torch.ones(1, 16, 16)
    return Layer(image=image, alpha=alpha, text=text, **settings)


def collage(*layers: Layer, **settings: Any) -> Collage:
    prompt = " and ".join(one.text for one in layers)
    background = torch.full((1, H, W, 3), 0.1)
    values = {"prompt": prompt, "background": background} | settings
    return Collage(width=W, height=H, layers=layers, **values)


def laid_table() -> Collage:
    """A cup left, a hidden jug, a cake right."""
    return collage(
        layer("cup", x=0.25), layer("jug", visible=False, noise=0.7), layer("cake", x=0.75)
    )


def picture(batch: int = 1, seed: int = 9) -> torch.Tensor:
    return torch.rand(batch, H, W, 3, generator=torch.Generator().manual_seed(seed))


def request(layers: str, **values: Any) -> EditRequest:
    given: dict[str, Any] = {"noise": 0.6, "feather": 0.0} | values
    return EditRequest(layers=layers, **given)


def edited(*args: Any) -> Collage:
    return edit(*args)[0]


def state(one: Collage) -> Edit:
    assert one.edit is not None
    return one.edit


def refused(one: Collage, image: torch.Tensor, what: EditRequest) -> str:
    with pytest.raises(CollageError) as error:
        edit(one, image, what)
    return str(error.value)
