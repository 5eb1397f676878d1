"""Where training keeps its files, its log and its checkpoints."""

from __future__ import annotations

import functools
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from collage_core.storage.atomic_write import writing

ROOT = Path(__file__).resolve().parents[2]
# outside of every checkout: a training of days is resumed from any clone
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
WORKSHOP = CACHE / "collage-diffusion" / "train"
WEIGHTS = ROOT / "demo" / "weights"
LOG = WEIGHTS / "training_log.jsonl"


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def layout() -> torch.memory_format:
    """How the fastest convolutions of the device want their weights and pictures in memory."""
    return torch.channels_last if device().type == "cuda" else torch.contiguous_format


@functools.cache
def fast_dtype() -> torch.dtype:
    """bfloat16 where the device multiplies it, else float32.

    A processor that has to emulate bfloat16 needs ten times as long for it.
    """
    multiplies = device().type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001
    return torch.bfloat16 if multiplies else torch.float32


def autocast() -> torch.autocast:
    """Compute in `fast_dtype` within the block."""
    mixed = fast_dtype() is torch.bfloat16
    return torch.autocast(device().type, torch.bfloat16, enabled=mixed)


def hardware() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{os.cpu_count()} x {platform.processor() or platform.machine()} CPU"


def log(stage: str, **record: Any) -> None:
    """Append one line to the committed training log and show it."""
    line = {"stage": stage, "time": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()), **record}
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def save(name: str, state: dict[str, Any]) -> None:
    """Write a checkpoint; a kill at any moment leaves the last complete one."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    with writing(WORKSHOP / f"{name}.pt", replace=True) as file:
        torch.save(state, file)


def load(name: str) -> dict[str, Any] | None:
    path = WORKSHOP / f"{name}.pt"
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None


def remove(*names: str) -> None:
    for name in names:
        (WORKSHOP / f"{name}.pt").unlink(missing_ok=True)


def columns(
    name: str, parts: Sequence[str], make: Callable[[], Iterable[tuple[np.ndarray, ...]]]
) -> list[np.ndarray]:
    """One array for each of `parts`, kept on disk under `name`; `make` gives its rows, once."""
    paths = [WORKSHOP / f"{name}_{part}.npy" for part in parts]
    if not paths[-1].exists():
        WORKSHOP.mkdir(parents=True, exist_ok=True)
        for path, column in zip(paths, zip(*make(), strict=True), strict=True):
            with writing(path, replace=True) as file:
                np.save(file, np.stack(column))
    return [np.load(path, mmap_mode="r") for path in paths]
