"""CollageAttentionMap after MaskedCrossAttentionPatch on tiny random models."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

WIDTH, HEIGHT = 136, 104  # 17 x 13 latent cells, 9 x 7 in the lower blocks


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture(scope="session")
def make_collage(pack):
    """A bear on the left and a hat on the right half of a grey canvas."""

    def make(prompt="a bear and a red hat", size=(HEIGHT, WIDTH), batch=1, **layer):
        core = pack.collage_core.collage.collage
        height, width = size
        given = {"attract": 1.0, "repel": 1.0, **layer}
        layers = tuple(
            core.Layer(
                image=torch.ones(batch, height, width // 2, 3),
                alpha=torch.ones(batch, height, width // 2),
                **{"text": text, "x": x, **given},
            )
            for text, x in (("bear", 0.25), ("red hat", 0.75))
        )
        background = torch.full((1, height, width, 3), 0.6)
        return core.Collage(
            width=width, height=height, prompt=prompt, background=background, layers=layers
        )

    return make


@pytest.fixture(scope="session")
def collage(make_collage):
    return make_collage()


@pytest.fixture
def patch(pack, model, clip):
    """The model and positive that MaskedCrossAttentionPatch makes for a collage."""

    def execute(collage, **inputs):
        given = {
            "model": model,
            "clip": clip,
            "schedule": "constant",
            "strength": 1.0,
            "start_percent": 0.0,
            "end_percent": 1.0,
        }
        node = pack.nodes.attention.MaskedCrossAttentionPatch
        patched, positive, *_ = node.execute(collage=collage, **{**given, **inputs}).args
        return SimpleNamespace(model=patched, positive=positive)

    return execute


@pytest.fixture
def finished():
    """A LATENT as a sampler could have left it."""

    def make(batch=1, size=(HEIGHT, WIDTH), channels=4) -> dict:
        generator = torch.Generator().manual_seed(6)
        shape = (batch, channels, size[0] // 8, size[1] // 8)
        return {"samples": torch.randn(shape, generator=generator)}

    return make


@pytest.fixture
def run(pack, finished):
    """Execute the node; inputs that a test does not name are the ones below."""

    def execute(model, collage, **inputs):
        given = {"latent": finished(), "steps": 2, "seed": 3}
        node = pack.nodes.attention_map.CollageAttentionMap
        return node.execute(model, collage, **{**given, **inputs}).args

    return execute


@pytest.fixture
def leakages():
    """The leakage of every layer, in percent, as the report tells it."""

    def read(report: str) -> list[float]:
        parts = report.split("leakage ")[1:]
        return [float(part.split(" %")[0]) for part in parts]

    return read


@pytest.fixture
def ksampler(host_ksampler):
    """The samples of the host's KSampler."""

    def sample(model, positive, latent: dict) -> torch.Tensor:
        negative = [[torch.zeros_like(positive[0][0]), {}]]
        settings = {"steps": 3, "sampler_name": "euler_ancestral", "latent": latent}
        return host_ksampler(model, positive, negative, **settings)

    return sample
