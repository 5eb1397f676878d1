"""Runs every example for real models once, with random weights in the files that it names.

SD1.5 has its full size; Flux, Z-Image and Qwen-Image have their width and few blocks. A real server
and its loaders are used, on a small canvas and in few steps. The pictures are noise; the point is
that every node works with what the loaders give.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from collage_core.storage.atomic_write import write_whole
from launcher.arguments import at_least
from launcher.base_folder import fresh_base
from launcher.demo import make_pictures
from launcher.figures import API
from launcher.host import Host, find_host
from launcher.server import start_server

from ...examples.variants import CHECKPOINT, VARIANTS, Variant
from ...pack import ROOT
from . import shallow_encoders
from .random_checkpoint import write_checkpoint, write_control_net
from .random_transformers import BUILT, write_file

Json = dict[str, Any]
# the sampler's suffice for every layer to be set free
QUICK = {
    "PerLayerNoiseKSampler": {"steps": 4},
    "LayerTextualInversion": {"steps": 2, "preset": "preview"},
}


def main(arguments: Sequence[str]) -> None:
    options = _options(arguments)
    host = find_host(os.environ["COMFYUI_PATH"])
    options.output.mkdir(parents=True, exist_ok=True)
    for end in options.only or VARIANTS:
        with fresh_base() as base:
            _write_models(VARIANTS[end][0], base)
            _run_all(host, base, sorted(API.glob(f"*_{end}.json")), options)
    print(f"Pictures: {options.output}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench checkpoints", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[*VARIANTS], help="default: all of them")
    parser.add_argument("--canvas", type=at_least(64), default=128, help="pixels of a side")
    parser.add_argument("--output", type=Path, default=ROOT / "output" / "bench" / "checkpoints")
    return parser.parse_args(arguments)


def _write_models(variant: Variant, base: Path) -> None:
    if variant is CHECKPOINT:
        write_checkpoint(base / "models/checkpoints" / CHECKPOINT.model[1]["ckpt_name"])
        assert CHECKPOINT.network is not None
        network = CHECKPOINT.network[1]["control_net_name"]
        write_control_net(base / "models/controlnet" / network)
        return
    kinds = [kind for kind in (variant.model, variant.clip, variant.vae) if kind]
    for name in (value for _, inputs in kinds for value in inputs.values() if value in BUILT):
        write_file(name, base / "models")
    source = Path(shallow_encoders.__file__)
    write_whole(base / "custom_nodes" / source.name, source.read_bytes(), replace=True)


def _run_all(host: Host, base: Path, files: list[Path], options: argparse.Namespace) -> None:
    models = ("--models-directory", str(base / "models"))  # not those of the ComfyUI in use
    with start_server(host, base, name="bench-checkpoints", arguments=models) as server:
        for file in files:
            started = time.perf_counter()
            prompt = smaller(json.loads(file.read_text("utf-8")), options.canvas)
            paths = make_pictures(host, server, prompt, options.output / file.stem)
            seconds = time.perf_counter() - started
            print(f"{file.stem}: {len(paths)} pictures in {seconds:.0f} s", flush=True)


def smaller(prompt: Json, canvas: int) -> Json:
    """The workflow on a canvas of `canvas` x `canvas` pixels, in few steps."""
    size = next(n["inputs"]["width"] for n in prompt.values() if n["class_type"] == "CollageStack")
    for node in prompt.values():
        kind, inputs = node["class_type"], node["inputs"]
        if kind == "CollageStack":
            inputs |= {"width": canvas, "height": canvas}
        for measure in ("scale", "feather"):
            if measure in inputs:
                inputs[measure] *= canvas / size
        inputs |= QUICK.get(kind, {})
    return prompt
