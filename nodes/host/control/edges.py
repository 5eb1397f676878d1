"""The edges of a picture, as the host's Canny node finds them, by the library that it calls.

Host symbols:
    comfy.model_management: get_torch_device(), intermediate_device(), intermediate_dtype()
"""

from __future__ import annotations

import torch
from comfy import model_management
from kornia.filters import canny

# Half of what the host's node offers: at 0.4 and 0.8 a white cube before a light wall, or brown
# dishes on a brown table, have no outline.
LOW, HIGH = 0.2, 0.4


def find_edges(image: torch.Tensor) -> torch.Tensor:
    """Pictures [B, H, W, 3] in [0, 1] -> IMAGE of the same shape, 1 on edges and 0 elsewhere."""
    colour = image.to(model_management.get_torch_device(), torch.float32).movedim(-1, 1)
    _, edges = canny(colour, LOW, HIGH)
    device, dtype = model_management.intermediate_device(), model_management.intermediate_dtype()
    return edges.to(device, dtype).movedim(1, -1).repeat(1, 1, 1, 3)
