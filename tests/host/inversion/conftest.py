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
        if preset != "paper":
            given["vectors"] = (2, 4)  # so that no test takes one for many
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
        return pack.collage_core.collage.layer.Layer(text=text, **{**given, **changes})

    return make


@pytest.fixture
def make_collage(pack):
    def make(prompt: str, *layers):
        background = torch.full((1, 96, 128, 3), 0.4)
        return pack.collage_core.collage.collage.Collage(
            width=128, height=96, prompt=prompt, background=background, layers=layers
        )

    return make


@pytest.fixture
def make_task(part, model, clip, vae, settings, make_layer):
    """A Task; what a test does not name is as below."""

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
        return part("nodes.host.inversion.task").Task(**{**given, **changes})

    return make


@pytest.fixture
def trainer(part, make_task):
    """A Trainer of such a Task."""
    return lambda **changes: part("nodes.host.inversion.trainer").Trainer(make_task(**changes))


@pytest.fixture
def copies(part):
    return part("nodes.host.inversion.trainable_copy")


@pytest.fixture
def networks(part):
    return part("nodes.host.inversion.networks")


@pytest.fixture
def kept_bytes():
    """How many bytes autograd keeps of some work, the weights of a model left out."""

    def count(weights: torch.nn.Module, work) -> int:
        storages = {p.untyped_storage().data_ptr(): 0 for p in weights.parameters()}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            storages.setdefault(storage.data_ptr(), storage.nbytes())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            held = work()
        assert held is not None
        return sum(storages.values())

    return count


@pytest.fixture
def short_of_memory(monkeypatch):
    """Make ComfyUI say that this many bytes are free."""
    import comfy.model_management

    def free(count: float) -> None:
        def told(_=None, torch_free_too: bool = False):
            return (int(count), int(count)) if torch_free_too else int(count)

        monkeypatch.setattr(comfy.model_management, "get_free_memory", told)

    return free


@pytest.fixture
def folder(pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder where ComfyUI looks for embeddings."""
    import folder_paths

    extensions = folder_paths.folder_names_and_paths["embeddings"][1]
    entry = ([str(tmp_path)], extensions)
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "embeddings", entry)
    for name, empty in (("UNWRITTEN", {}), ("WRITTEN", set()), ("GONE", [])):
        monkeypatch.setattr(pack.nodes.host.inversion.store, name, empty)
    return tmp_path


@pytest.fixture
def execute(part, model, clip, vae, make_layer, folder, monkeypatch, settings):
    """Run the node at a size that tests can wait for."""
    node = part("nodes.inversion")
    monkeypatch.setattr(node, "preset_settings", lambda _, steps: settings(steps=steps or 4))

    def run(**changes):
        given = {"model": model, "clip": clip, "vae": vae, "layer": make_layer()}
        widgets = {"preset": "default", "steps": 4, "seed": 0}
        return node.LayerTextualInversion.execute(**{**given, **widgets, **changes}).args

    return run


@pytest.fixture
def count_steps(part, monkeypatch):
    """How many steps were taken, and a hook that is called after each."""
    trainer = part("nodes.host.inversion.trainer").Trainer
    step, counted = trainer.step, {"steps": 0, "then": lambda _: None}

    def counting(self):
        loss = step(self)
        counted["steps"] += 1
        counted["then"](counted["steps"])
        return loss

    monkeypatch.setattr(trainer, "step", counting)
    return counted
