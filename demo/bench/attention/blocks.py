"""Cross-attention alone, at the shape of every block of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from comfy.ldm.modules import attention
from comfy.patcher_extension import WrappersMP

from .one_call import call, peak_bytes, seconds
from .scene import FOLD, LOOP, NODE, Scene

KEPT = ("n_heads", "attn_precision", "activations_shape", "cond_or_uncond")
LEAST = 0.02  # seconds that a measurement takes


@dataclass
class Shape:
    """Shape of q and k in some blocks, and the options that ComfyUI passes there."""

    queries: torch.Size
    keys: torch.Size
    dtype: torch.dtype
    device: torch.device
    extra_options: dict
    blocks: int = 0

    def __str__(self) -> str:
        height, width = self.extra_options["activations_shape"][-2:]
        heads = self.extra_options["n_heads"]
        return f"{height} x {width}, {heads} x {self.queries[-1] // heads}, {self.blocks} blocks"

    def random(self) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        return [
            torch.randn(shape, generator=generator).to(self.device, self.dtype)
            for shape in (self.queries, self.keys, self.keys)
        ]


@dataclass
class Notes:
    """An attn2_replace function that records shapes."""

    shapes: dict[tuple, Shape] = field(default_factory=dict)

    def __call__(self, q, k, v, extra_options):
        options = {key: extra_options[key] for key in KEPT}
        key = (q.shape, options["n_heads"])
        seen = Shape(q.shape, k.shape, q.dtype, q.device, options)
        self.shapes.setdefault(key, seen).blocks += 1
        return plain(attention.optimized_attention)(q, k, v, extra_options)


def plain(function) -> Callable:
    def attend(q, k, v, extra_options):
        precision = extra_options["attn_precision"]
        return function(q, k, v, extra_options["n_heads"], attn_precision=precision)

    return attend


def shapes(scene: Scene) -> list[Shape]:
    notes = Notes()
    call(scene.replaced("notes", 0, notes), scene.cells)
    return list(notes.shapes.values())


def ways(scene: Scene, layers: Sequence[int]) -> dict[str, Callable]:
    """Functions for attn2_replace; ComfyUI's own attention first."""
    name = attention.optimized_attention.__name__
    found = {f"host's {name}": plain(attention.optimized_attention)}
    if attention.optimized_attention is not attention.attention_pytorch:
        found["attention_pytorch"] = plain(attention.attention_pytorch)
    found |= {f"{NODE}, {n}": node_attention(scene, n) for n in layers}
    found |= {f"{LOOP}, {n}": scene.paper_loop(n) for n in layers}
    return found | {f"{FOLD}, {n}": scene.low_rank_fold(n) for n in layers}


def node_attention(scene: Scene, layers: int) -> Callable:
    """The node's attn2_replace function, taken from a call that never reaches the model."""
    row, caught = scene.node(layers), []

    def catch(_executor, x, *arguments, **_kwargs):
        caught.extend(arguments[-1]["patches_replace"]["attn2"].values())
        return x

    row.model.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "bench", catch)
    call(row, scene.cells)
    return caught[0]


def measure(scene: Scene, layers: Sequence[int], rounds: int) -> dict[str, dict[str, dict]]:
    """Shape -> way -> seconds of every round, and peak bytes."""
    found = ways(scene, layers)
    return {str(shape): _measure(shape, found, rounds) for shape in shapes(scene)}


def _measure(shape: Shape, found: dict[str, Callable], rounds: int) -> dict[str, dict]:
    tensors = shape.random()
    works = {way: partial(found[way], *tensors, shape.extra_options) for way in found}
    return timed(works, rounds)


def timed(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, dict]:
    """Way -> seconds of every round, and peak bytes. Each round calls every way."""
    times = {way: {"seconds": [], "peak_bytes": peak_bytes(work)} for way, work in works.items()}
    repeats = {way: max(1, int(LEAST / seconds(work))) for way, work in works.items()}
    for _ in range(rounds):
        for way, row in times.items():
            row["seconds"].append(seconds(works[way], repeats[way]))
    return times
