"""A process that learns: `learner.py FOLDER KEY SECONDS` with the store alone, not the host.

It prints "step N" for the state it went on from, "saved" when it has one of its own, and the
embedding's name at the end; what it learned it writes into FOLDER/learned.txt, a line each time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

REPO = Path(__file__).absolute().parents[3]


def import_store(folder: str) -> Any:
    """The store inside packages without their __init__, with just what it asks of the host."""
    host: Any = ModuleType("folder_paths")
    host.get_folder_paths = lambda _: [folder]
    host.get_filename_list = lambda _: []
    management: Any = ModuleType("comfy.model_management")
    management.throw_exception_if_processing_interrupted = lambda: None
    modules = {"folder_paths": host, "comfy.model_management": management}
    for name, inside in {"comfy": "", "pack": ".", "pack.nodes": "nodes"}.items():
        modules[name] = ModuleType(name)
        modules[name].__path__ = [str(REPO / inside)]
    sys.modules |= modules
    from pack.nodes.host.inversion import store  # pyright: ignore[reportMissingImports]

    return store


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(folder: str, key: str, seconds: str) -> None:
    store = import_store(folder)
    with store.job(key, "teddy bear") as job:
        if job.found is None:
            say(f"step {(job.saved_state or {'step': 0})['step']}")
            with open(Path(folder) / "learned.txt", "a") as learned:
                learned.write("once\n")
            job.save_state({"step": 3, "vector": torch.arange(4.0)})
            say("saved")
            time.sleep(float(seconds))
            job.publish({"l": torch.ones(1, 768)}, {"collage.steps": 3})
        say(job.name)


main(*sys.argv[1:])
