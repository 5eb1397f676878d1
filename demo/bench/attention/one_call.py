"""One call of a model by ComfyUI's sampler, measured from inside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import comfy.samplers
import torch
from comfy.model_patcher import ModelPatcher

SIGMA, CFG = 3.0, 7.5

Measure = Callable[[Callable[[], object]], float]  # of one piece of work


class Row(NamedTuple):
    """A row of the table: the way, the number of layers, its model, conditioning and guidance."""

    way: str
    layers: int
    model: ModelPatcher
    positive: list
    negative: list
    cfg: float = CFG

    @property
    def name(self) -> str:
        layers = f", {self.layers} layer{'s' if self.layers > 1 else ''}" if self.layers else ""
        return self.way + layers


class OneCall:
    """A sampler of two calls; `measure` makes the second.

    The first one makes what all calls of a run share, such as the maps of the layers. On a GPU it
    would take longer than the call itself.
    """

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.found = 0.0

    def sample(self, model_wrap, sigmas, extra_args, _callback, noise, *_more):
        outputs = []

        def ask() -> None:
            outputs.append(model_wrap(noise * sigmas[0], sigmas[:1], **extra_args))

        ask()
        self.found = self.measure(ask)
        return outputs[-1]


def call(row: Row, cells: int) -> torch.Tensor:
    """The denoised latent, of positive and negative conditioning joined by CFG."""
    return _sample(row, cells, OneCall(seconds))


def measured(row: Row, cells: int, measure: Measure) -> float:
    sampler = OneCall(measure)
    _sample(row, cells, sampler)
    return sampler.found


def _sample(row: Row, cells: int, sampler: OneCall) -> torch.Tensor:
    guider = comfy.samplers.CFGGuider(row.model)
    guider.set_conds(row.positive, row.negative)
    guider.set_cfg(row.cfg)
    channels = row.model.model.latent_format.latent_channels
    noise = torch.randn(1, channels, cells, cells, generator=torch.Generator().manual_seed(0))
    sigmas = torch.tensor((min(SIGMA, float(row.model.model.model_sampling.sigma_max)), 0.0))
    return guider.sample(noise, torch.zeros_like(noise), sampler, sigmas, seed=0)


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """Seconds of one piece of work, with the device synchronised.

    On one thread they are those of the processor, so that other work of the machine counts less.
    """
    alone = torch.get_num_threads() == 1 and not torch.cuda.is_available()
    clock = time.process_time if alone else time.perf_counter
    _wait()
    start = clock()
    for _ in range(repeats):
        work()
    _wait()
    return (clock() - start) / repeats


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_bytes(work: Callable[[], object]) -> int:
    """Peak memory of tensors in bytes, above the memory before."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        return torch.cuda.max_memory_allocated() - before
    os.environ.setdefault("KINETO_LOG_LEVEL", "5")  # it misses a GPU aloud
    profile = torch.autograd.profiler.profile(profile_memory=True)
    with profile:
        work()
    assert profile.kineto_results is not None
    events: list[Any] = [
        event for event in profile.kineto_results.events() if event.name() == "[memory]"
    ]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most
