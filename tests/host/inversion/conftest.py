"""LayerTextualInversion and its parts on tiny random models."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture(scope="session")
def part(pack):
    """A module of the pack by its dotted name."""
    return lambda name: importlib.import_module(f"{pack.__name__}.{name}")


@pytest.fixture
def settings(part):
    """`default` cut down to what a test can wait for."""

    def make(preset: str = "default", **changes):
        given = {"steps": 6, "batch": 2, "resolution": (128, 128), "evaluate_every": 3}
        module = part("collage_core.inversion.settings")
        return dataclasses.replace(module.PRESETS[preset], **{**given, **changes})

    return make


@pytest.fixture
def make_layer(pack):
    def make(text: str = "teddy bear", **changes):
        generator = torch.Generator().manual_seed(4)
        given = {
            "image": torch.rand(1, 40, 48, 3, generator=generator),
            "alpha": torch.ones(1, 40, 48),
            "noise": 0.8,
        }
        return pack.collage_core.collage.Layer(text=text, **{**given, **changes})

    return make


@pytest.fixture
def make_collage(pack):
    def make(prompt: str, *layers):
        background = torch.full((1, 96, 128, 3), 0.4)
        return pack.collage_core.collage.Collage(
            width=128, height=96, prompt=prompt, background=background, layers=layers
        )

    return make


@pytest.fixture
def trainer(part, model, clip, vae, settings, make_layer):
    """A Trainer; what a test does not name is as below."""

    def make(**changes):
        given = {
            "model": model,
            "clip": clip,
            "vae": vae,
            "layer": make_layer(),
            "collage": None,
            "settings": settings(),
            "seed": 7,
        }
        task = part("nodes.host.inversion_inputs").Task(**{**given, **changes})
        return part("nodes.host.inversion_trainer").Trainer(task)

    return make


@pytest.fixture
def folder(pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder where the host looks for embeddings."""
    import folder_paths

    extensions = folder_paths.folder_names_and_paths["embeddings"][1]
    entry = ([str(tmp_path)], extensions)
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "embeddings", entry)
    return tmp_path
