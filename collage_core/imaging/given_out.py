"""Tensors that a node gives out while the collage goes on using what they were made of."""

from __future__ import annotations

import torch

# Where torch can copy on writing; elsewhere the copy is made at once.
DEVICES = ("cpu", "cuda")


def given_out(tensor: torch.Tensor) -> torch.Tensor:
    """The same values for other nodes: whoever writes into them leaves the original alone.

    The memory is shared until then, which for the masks of a large canvas is gigabytes. It is
    torch's own copy on write, behind numpy and bare pointers too.
    """
    lazy = getattr(torch, "_lazy_clone", None)
    if lazy is None or tensor.device.type not in DEVICES or not tensor.is_contiguous():
        return tensor.clone()
    return lazy(tensor)
