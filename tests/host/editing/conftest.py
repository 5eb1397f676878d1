"""The nodes that go on from a finished picture."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

H, W = 48, 64


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture
def execute(node_of):
    """Run a node by its name; its outputs by their ids."""

    def run(name: str, **inputs: Any) -> SimpleNamespace:
        node = node_of(name)
        names = [output.id for output in node.GET_SCHEMA().outputs]
        return SimpleNamespace(**dict(zip(names, node.execute(**inputs).args, strict=True)))

    return run


@pytest.fixture
def layer(pack):
    """16 x 16 random opaque pixels; settings are the layer's."""

    def make(text: str, batch: int = 1, **settings: Any):
        generator = torch.Generator().manual_seed(len(text) + ord(text[0]))
        image = torch.rand(batch, 16, 16, 3, generator=generator)
        alpha = torch.ones(batch, 16, 16)
        return pack.collage_core.collage.layer.Layer(
            image=image, alpha=alpha, text=text, **settings
        )

    return make


@pytest.fixture
def collage(pack, layer):
    """A 64 x 48 canvas of the layers given, or of a cup, a hidden jug and a cake over the cup."""

    def make(*layers, prompt: str = "a cup and a cake", batch: int = 1):
        layers = layers or (
            layer("cup", x=0.375, y=0.5),
            layer("jug", visible=False),
            layer("cake", x=0.5, y=0.5),
        )
        background = torch.full((batch, H, W, 3), 0.4)
        return pack.collage_core.collage.collage.Collage(
            width=W, height=H, prompt=prompt, background=background, layers=layers
        )

    return make


@pytest.fixture
def picture():
    """A finished picture, or a batch of them: random pixels of the canvas's size."""

    def make(batch: int = 1, *, seed: int = 5, size: tuple[int, int] = (H, W)) -> torch.Tensor:
        return torch.rand(batch, *size, 3, generator=torch.Generator().manual_seed(seed))

    return make
