"""A training in a process of its own: `learner.py FOLDER` says "step N" after every step.

The test takes the same task from here.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

REPO = Path(__file__).absolute().parents[3]
STEPS = 4


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def make_task(pack: str, tiny: Any):
    """A Task of the pack loaded under this name, for the tiny models."""
    import torch

    def part(name: str) -> Any:
        return importlib.import_module(f"{pack}.{name}")

    numbers = torch.Generator().manual_seed(4)
    settings = dataclasses.replace(
        part("collage_core.inversion.settings").PRESETS["default"],
        steps=STEPS, batch=2, resolution=(128, 128), evaluate_every=4,
    )  # fmt: skip
    layer = part("collage_core.collage.collage").Layer(
        text="teddy bear",
        image=torch.rand(1, 40, 48, 3, generator=numbers),
        alpha=torch.ones(1, 40, 48),
        noise=0.8,
    )
    models = {"model": tiny.tiny_model(), "clip": tiny.tiny_clip(), "vae": tiny.tiny_vae()}
    task = {**models, "layer": layer, "collage": None, "settings": settings, "seed": 7}
    return part("nodes.host.inversion.task").Task(**task)


def main(folder: str) -> None:
    import comfy.cli_args

    comfy.cli_args.args.cpu = True
    import folder_paths
    import torch

    folder_paths.folder_names_and_paths["embeddings"] = ([folder], {".safetensors"})
    load(REPO / "__init__.py", "pack")
    tiny = load(REPO / "tests" / "host" / "tiny_models.py", "tiny_models")
    run: Any = importlib.import_module("pack.nodes.host.inversion.run")
    run.SAVE_STEPS, run.SAVE_SECONDS = 2, 600.0
    step = run.Trainer.step

    def told(trainer):
        loss = step(trainer)
        sys.stdout.write(f"step {trainer.steps}\n")
        sys.stdout.flush()
        return loss

    run.Trainer.step = told
    with torch.inference_mode():
        run.learn(make_task("pack", tiny))


if __name__ == "__main__":
    main(sys.argv[1])
