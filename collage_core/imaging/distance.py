"""How far it is to the nearest place outside of a region."""

from __future__ import annotations

import torch

from ..interruption import interruptible


def inner_distance(region: torch.Tensor, cell: int, reach: int) -> torch.Tensor:
    """Cells [B, 1, h, w], True inside -> distance of their pixels [B, 1, h cell, w cell].

    It is the one to the nearest pixel outside, up to `reach`: Euclidean, between the middles of
    pixels; 0 outside. One axis after the other: the square of a distance is the least sum of the
    squares along both. Across, only the nearest column of every cell can be the nearest of all,
    so that a cell counts as one step.
    """
    down = _down(region.repeat_interleave(cell, -2), reach).square_()
    planes = [_across(down, offset, cell, reach) for offset in range(cell)]
    return torch.stack(planes, -1).flatten(-2).sqrt_()


def _down(region: torch.Tensor, reach: int) -> torch.Tensor:
    """True [..., H, w] -> distance to the nearest row outside in the same column, up to `reach`."""
    H = region.shape[-2]
    here = torch.arange(H, dtype=torch.float32, device=region.device).unsqueeze(1)
    above = here - torch.where(region, -reach, here).cummax(-2).values
    below = torch.where(region, H + reach, here).flip(-2).cummin(-2).values.flip(-2) - here
    return torch.minimum(above, below).clamp_(max=reach)


def _across(squares: torch.Tensor, offset: int, cell: int, reach: int) -> torch.Tensor:
    """Squares [..., w] down the columns of cells -> with the way across, from one column each.

    `offset` is the place of that column in its cell.
    """
    nearest, w = squares.clone(), squares.shape[-1]
    for step in interruptible(range(1, w)):
        back, ahead = (step - 1) * cell + offset + 1, step * cell - offset
        if min(back, ahead) ** 2 >= min(nearest.max().item(), reach * reach):
            break
        for way, here, there in ((back, step, 0), (ahead, 0, step)):
            part = nearest.narrow(-1, here, w - step)
            torch.minimum(part, squares.narrow(-1, there, w - step) + way * way, out=part)
    return nearest
