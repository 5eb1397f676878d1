"""Where learnable vectors start: at the words that name the object."""

from __future__ import annotations

import torch

TILT = 0.02  # radians between copies of one word


def word_norm(table: torch.Tensor) -> float:
    """The mean norm of a vocabulary's words [V, width]; rows that are alike count once."""
    return table.float().norm(dim=-1).unique().mean().item()


def start_vectors(
    words: torch.Tensor, count: int, norm: float | None, generator: torch.Generator
) -> torch.Tensor:
    """The words [W, width] in turn -> [count, width], with this norm or their own.

    A word that comes again is tilted a little, or its copies would stay the same for ever.
    """
    rows = words.float()[torch.arange(count) % len(words)]
    noise = torch.randn(rows.shape, generator=generator).to(rows)
    again = (torch.arange(count) >= len(words)).unsqueeze(1).to(rows)
    lengths = rows.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    unit = rows / lengths
    across = noise - (noise * unit).sum(-1, keepdim=True) * unit
    unit = unit + TILT * again * across / across.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    return unit / unit.norm(dim=-1, keepdim=True) * (lengths if norm is None else norm)
