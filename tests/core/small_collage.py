"""A bear of 3 x 5 pixels, and a collage of 24 x 16."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer
from collage_core.errors import CollageError


def layer(text: str = "bear", batch: int = 1, tone: float = 1.0, **settings: Any) -> Layer:
    image = torch.full((batch, 5, 3, 3), tone)
    return Layer(image=image, alpha=torch.ones(batch, 5, 3), text=text, **settings)


def collage(*layers: Layer, prompt: str = "a bear", **settings: Any) -> Collage:
    canvas: dict[str, Any] = {"width": 24, "height": 16, "background": torch.zeros(1, 16, 24, 3)}
    return Collage(prompt=prompt, layers=layers, **(canvas | settings))


def message(make: Any, *args: Any, **settings: Any) -> str:
    with pytest.raises(CollageError) as error:
        make(*args, **settings)
    return str(error.value)
