"""20 layers of 1024 x 1024 on a 1024 x 1024 canvas, masks included, against plain Pillow.

Each side runs in its own process, with inputs in memory in its own format (float32
tensors, 8-bit images). Pillow does the same work in 8 bits: box reduction, affine transform,
alpha_composite, and one visible mask per layer.

With --canvas SIZE: time and memory of a canvas with that many pixels a side instead, with the same
20 layers enlarged; memory is the peak of a step, with what the step before it keeps.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageChops

from collage_core.collage.compositing import compose
from collage_core.collage.layer import Layer

from .canvas import blurring, giving_out, putting_back, reckoned, stacking

LAYERS, SIZE, ROUNDS = 20, 1024, 5
SCALES = (1.0, 0.9, 0.75, 0.5, 1.25)
ANGLES = (0.0, 20.0, -35.0, 130.0)


def placements() -> list[tuple[float, float, float, float]]:
    """x, y, scale and rotation: most layers rotated and shrunk, all mostly on the canvas."""
    return [
        (0.35 + i % 4 / 10, 0.35 + i % 5 / 13, SCALES[i % len(SCALES)], ANGLES[i % len(ANGLES)])
        for i in range(LAYERS)
    ]


def collage_work() -> Callable[[], object]:
    generator = torch.Generator().manual_seed(0)
    layers = [
        Layer(
            image=torch.rand(1, SIZE, SIZE, 3, generator=generator),
            alpha=torch.rand(1, SIZE, SIZE, generator=generator),
            text="layer",
            x=x,
            y=y,
            scale=scale,
            rotation=rotation,
        )
        for x, y, scale, rotation in placements()
    ]
    background = torch.full((1, SIZE, SIZE, 3), 0.59)
    return lambda: compose(background, layers)


def pillow_work() -> Callable[[], object]:
    layers = [Image.frombytes("RGBA", (SIZE, SIZE), os.urandom(SIZE * SIZE * 4)) for _ in SCALES]
    layers = [layers[i % len(layers)].copy() for i in range(LAYERS)]
    return lambda: compose_with_pillow(layers, placements())


def compose_with_pillow(
    layers: list[Image.Image], places: list[tuple[float, float, float, float]]
) -> tuple[Image.Image, list[Image.Image]]:
    canvas = Image.new("RGBA", (SIZE, SIZE), "#969696")
    placed = [place_with_pillow(*pair) for pair in zip(layers, places, strict=True)]
    for layer in placed:
        canvas.alpha_composite(layer)
    uncovered = Image.new("L", (SIZE, SIZE), 255)
    masks = []
    for layer in reversed(placed):
        alpha = layer.getchannel("A")
        masks.append(ImageChops.multiply(alpha, uncovered))
        uncovered = ImageChops.multiply(uncovered, ImageChops.invert(alpha))
    return canvas, masks[::-1]


def place_with_pillow(layer: Image.Image, place: tuple[float, float, float, float]) -> Image.Image:
    x, y, scale, rotation = place
    size = round(layer.width * scale), round(layer.height * scale)
    if scale != 1:
        layer = layer.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    turned = layer.rotate(rotation, Image.Resampling.BILINEAR, expand=True)
    canvas = Image.new("RGBA", (SIZE, SIZE))
    left, top = x * SIZE - turned.width / 2, y * SIZE - turned.height / 2
    canvas.paste(turned, (round(left), round(top)))
    return canvas


def measure(
    make: Callable[..., Callable[[], object]], *given: Any, rounds: int = ROUNDS
) -> tuple[list[float], float, float]:
    """Seconds of each round, least processor seconds, most memory above the inputs in MB."""
    work = make(*given)
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    seconds, busy = [], []
    for _ in range(rounds):
        start, busy_start = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - busy_start)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return sorted(seconds), min(busy), (most - before) / 1e6


def alone(*given: Any, **options: Any) -> tuple[list[float], float, float]:
    """`measure` in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, given, options)


def large_canvas(size: int) -> None:
    places = placements()
    need = {
        name: f", {size / 1e9:.1f} GB asked for" for name, size in reckoned(size, places).items()
    }
    print(f"{LAYERS} layers on {size} x {size}, {torch.get_num_threads()} threads")
    for name, note, *given in (
        ("stack", need["stack"], stacking, size, places),
        ("Collage Layers", need["layers"] + " beside the stack", giving_out, size, places),
        ("blur by 10", "", blurring, size, 10.0),
        ("blur by 512", "", blurring, size, 512.0),
        ("paste back, feather 10", "", putting_back, size, 10.0),
        ("paste back, feather 512", "", putting_back, size, 512.0),
    ):
        (seconds, *_), busy, memory = alone(*given, rounds=1)
        print(
            f"{name:24} {seconds:6.1f} s, processors {busy:6.1f} s, "
            f"{memory / 1e3:.1f} GB above the inputs{note}"
        )


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="run.py bench compositing", description=__doc__)
    parser.add_argument("--canvas", type=int, metavar="SIZE", help="measure a large canvas")
    if size := parser.parse_args(arguments).canvas:
        large_canvas(size)
        return
    print(f"{LAYERS} layers of {SIZE} x {SIZE}, {torch.get_num_threads()} threads, {ROUNDS} rounds")
    best = {}
    for name, make in (("collage_core", collage_work), ("Pillow", pillow_work)):
        seconds, busy, memory = alone(make)
        best[name] = seconds[0]
        print(
            f"{name:13} best {seconds[0]:.2f} s, median {seconds[len(seconds) // 2]:.2f} s, "
            f"processors {busy:.2f} s, {memory:.0f} MB above the inputs"
        )
    print(f"collage_core takes {best['collage_core'] / best['Pillow']:.2f} times Pillow's time")
