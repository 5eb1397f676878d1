"""Where training keeps its files, its log and its checkpoints."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[2]
WORKSHOP = ROOT / ".host" / "train"
WEIGHTS = ROOT / "demo" / "weights"
LOG = WEIGHTS / "training_log.jsonl"


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


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
    """Write a checkpoint so that a kill at any moment leaves the last whole one."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    partial = WORKSHOP / f"{name}.partial"
    torch.save(state, partial)
    partial.replace(WORKSHOP / f"{name}.pt")


def load(name: str) -> dict[str, Any] | None:
    path = WORKSHOP / f"{name}.pt"
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None
