"""What masked cross-attention costs: SD1.5 and SDXL at full size, with random weights.

ComfyUI's sampling function calls the model once, with positive and negative conditioning: the
unpatched model, this node, the paper's loop, and ComfyUI's ConditioningSetMask with as many
regions. Every round calls each of them, and ratios are between calls of one round. Memory is the
peak of the tensors during a call, above the peak of the unpatched model. `--models joint` measures
transformers: one attention at the shapes of Flux and Wan, and calls of a Flux of four blocks.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from collage_core.storage.atomic_write import write_whole
from launcher.arguments import at_least

from ...pack import ROOT
from . import blocks, joint
from .full_size import KINDS, SHORT_FLUX, build, let_go, millions
from .one_call import Row, measured, peak_bytes, seconds
from .scene import Scene
from .tables import blocks_table, calls_table

JOINT = "joint"
MODELS = [*KINDS, JOINT]
SMALL = 128  # pixels of the check before anything is measured


def main(arguments: Sequence[str]) -> None:
    options = _options(arguments)
    results = {"machine": machine(), "rounds": options.rounds, "models": []}
    print("\n".join(f"{name}: {value}" for name, value in results["machine"].items()))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with torch.inference_mode():
        for name in options.models:
            found = measure_joint(options) if name == JOINT else measure(name, options)
            results["models"].append(found)
            write_whole(options.output, json.dumps(results, indent=1), replace=True)
            let_go()
    print(f"\nEvery number: {options.output}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench attention", description=__doc__)
    parser.add_argument("--models", type=_names, default=MODELS, metavar="sd15,sdxl,joint")
    parser.add_argument("--layers", type=_numbers, default=[1, 5, 20], metavar="1,5,20")
    parser.add_argument(
        "--regions",
        type=_numbers,
        metavar="1,5,20",
        help="of ConditioningSetMask, whose cost grows with them; default: as many as layers",
    )
    parser.add_argument("--rounds", type=at_least(1), default=7)
    parser.add_argument("--size", type=at_least(64), help="side of the picture, a multiple of 64")
    parser.add_argument("--tiny", action="store_true", help="narrow models, to try this out")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "output" / "bench" / "attention.json", metavar="FILE"
    )
    return parser.parse_args(arguments)


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(MODELS):
        told = f"no model {', '.join(unknown)}; there are {', '.join(MODELS)}"
        raise argparse.ArgumentTypeError(told)
    return names


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def machine() -> dict[str, str]:
    import comfyui_version

    if torch.cuda.is_available():
        hardware = torch.cuda.get_device_name()
    else:
        hardware = f"{_processor()}, {torch.get_num_threads()} threads of {os.cpu_count()}"
    return {
        "hardware": hardware,
        "torch": torch.__version__,
        "ComfyUI": comfyui_version.__version__,
        "attention": blocks.attention.optimized_attention.__name__,
    }


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def measure(name: str, options: argparse.Namespace) -> dict:
    """Measure one model, print its tables and return every number."""
    kind = KINDS[name]
    size = options.size or (kind.size if torch.cuda.is_available() else kind.quick_size)
    say(f"{kind.name}: making random weights")
    model = build(kind, tiny=options.tiny)
    Scene(model, min(size, SMALL) // 8).check(min(5, max(options.layers)))
    say(f"{kind.name}: this node, the paper's loop and the low-rank fold agree")
    title = (
        f"{kind.name}{' narrowed' if options.tiny else ''}, {millions(model):.0f} M parameters, "
        f"{model.model.get_dtype_inference()}, {size} x {size}, {options.rounds} rounds"
    )
    if size != kind.size:
        title += f" (its own size, {kind.size} x {kind.size}, was not measured)"
    scene = Scene(model, size // 8)
    regions = options.layers if options.regions is None else options.regions
    rows = scene.rows(options.layers, regions, fold=torch.cuda.is_available())
    calls = measure_calls(rows, scene.cells, options.rounds)
    print(f"\n{title}\n{calls_table(calls)}", flush=True)
    say(f"{kind.name}: cross-attention alone")
    alone = blocks.measure(scene, options.layers, options.rounds)
    print(f"\n{kind.name}, cross-attention alone\n{blocks_table(alone)}", flush=True)
    return {"model": title, "size": size, "calls": calls, "cross_attention": alone}


def measure_joint(options: argparse.Namespace) -> dict:
    """Measure attention of the transformers' shapes and a short Flux, and print the tables."""
    say("transformers: one attention, of the positive prompt alone")
    side, layers = options.size and options.size // 16, options.layers
    alone = joint.measure(layers, options.rounds, side=side, tiny=options.tiny)
    print(f"\nTransformers, one attention\n{blocks_table(alone)}", flush=True)
    model = build(SHORT_FLUX, tiny=options.tiny)
    side = side or SHORT_FLUX.size // 16
    regions = layers if options.regions is None else options.regions
    calls = measure_calls(joint.rows(model, side, layers, regions), 2 * side, options.rounds)
    title = (
        f"{SHORT_FLUX.name}, {millions(model):.0f} M parameters, "
        f"{model.model.get_dtype_inference()}, {side * side} cells, guidance 1, "
        f"{options.rounds} rounds"
    )
    print(f"\n{title}\n{calls_table(calls)}", flush=True)
    return {"model": title, "size": 16 * side, "calls": calls, "attention": alone}


def measure_calls(rows: Sequence[Row], cells: int, rounds: int) -> dict[str, dict]:
    """Row -> seconds of every round, and peak bytes."""
    found = {row.name: {"seconds": [], "peak_bytes": 0.0} for row in rows}
    for row in rows:  # warms up, too
        say(f"memory: {row.name}")
        found[row.name]["peak_bytes"] = measured(row, cells, peak_bytes)
    for number in range(1, rounds + 1):
        for row in rows:
            taken = measured(row, cells, seconds)
            say(f"round {number} of {rounds}, {row.name}: {taken:.2f} s")
            found[row.name]["seconds"].append(taken)
    return found


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
