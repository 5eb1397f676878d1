"""What only a GPU can show: `run.py gpu` runs these; with --rehearse on the CPU, small and few.

The process that runs them decides for its whole life whether ComfyUI takes the GPU, so they want
one of their own: without COLLAGE_GPU ("cuda" or "rehearse") they are skipped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

GPU = os.environ.get("COLLAGE_GPU", "")
REHEARSE = GPU == "rehearse"

if GPU:
    import comfy.cli_args

    comfy.cli_args.args.cpu = REHEARSE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="wants a GPU and a process of its own: python3 run.py gpu")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.gpu)
            if not GPU:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def rehearse() -> bool:
    return REHEARSE


@pytest.fixture(scope="session")
def device() -> torch.device:
    return torch.device("cpu" if REHEARSE else "cuda")


@pytest.fixture
def in_a_node() -> Iterator[None]:
    """What the host runs every node in."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def tell() -> Callable[..., None]:
    """Write figures down at once, under a name."""
    file = os.environ.get("COLLAGE_GPU_FIGURES")

    def write(name: str, **figures) -> None:
        if file:
            with open(file, "a") as lines:
                lines.write(json.dumps({"name": name, **figures}) + "\n")

    return write
