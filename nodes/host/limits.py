"""Limits of a run: an interrupt by the user, and the free memory.

Host symbols:
    comfy.model_management.throw_exception_if_processing_interrupted()
    comfy.model_management.get_free_memory(dev)
"""

from __future__ import annotations

from typing import Any

import comfy.model_management
import torch

from ...collage_core.errors import CollageError

ends_when_interrupted = comfy.model_management.throw_exception_if_processing_interrupted


def check_room(node: str, what: str, needed: int, device: torch.device) -> None:
    """Raise CollageError if `needed` bytes do not fit into memory, before any are allocated.

    A system that runs out of memory does not say so: it swaps for hours or kills ComfyUI.
    """
    free: Any = comfy.model_management.get_free_memory(device)
    if needed > free:
        raise CollageError(
            f"{node}, {what} takes {needed / 1e9:.1f} GB of memory ({device.type}), and "
            f"{free / 1e9:.1f} GB are free. Use a smaller canvas, fewer layers or fewer pictures."
        )
