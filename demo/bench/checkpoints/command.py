"""Runs every example once on an SD1.5 checkpoint of full architecture with random weights.

A real server and its loaders are used, on a small canvas and in few steps. The pictures are noise;
the point is that every node works with what the loaders give.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from launcher.arguments import at_least
from launcher.base_folder import fresh_base
from launcher.demo import make_pictures
from launcher.figures import API, OTHER_MODEL
from launcher.host import find_host
from launcher.server import start_server

from ...examples.variants import CHECKPOINT
from ...pack import ROOT
from .random_checkpoint import write_checkpoint, write_control_net

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
    with fresh_base() as base:
        write_checkpoint(base / "models/checkpoints" / CHECKPOINT.model[1]["ckpt_name"])
        network = CHECKPOINT.network[1]["control_net_name"]
        write_control_net(base / "models/controlnet" / network)
        with start_server(host, base, name="bench-checkpoints") as server:
            for file in sorted(API.glob(f"*{OTHER_MODEL}.json")):
                started = time.perf_counter()
                prompt = smaller(json.loads(file.read_text("utf-8")), options.canvas)
                paths = make_pictures(host, server, prompt, options.output / file.stem)
                seconds = time.perf_counter() - started
                print(f"{file.stem}: {len(paths)} pictures in {seconds:.0f} s", flush=True)
    print(f"Pictures: {options.output}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench checkpoints", description=__doc__)
    parser.add_argument("--canvas", type=at_least(64), default=128, help="pixels of a side")
    parser.add_argument("--output", type=Path, default=ROOT / "output" / "bench" / "checkpoints")
    return parser.parse_args(arguments)


def smaller(prompt: Json, canvas: int) -> Json:
    """The workflow on a canvas of `canvas` x `canvas` pixels, in few steps."""
    for node in prompt.values():
        kind, inputs = node["class_type"], node["inputs"]
        if kind == "CollageStack":
            inputs |= {"width": canvas, "height": canvas}
        if kind == "CollageLayer":
            inputs["scale"] *= canvas / CHECKPOINT.size
        inputs |= QUICK.get(kind, {})
    return prompt
