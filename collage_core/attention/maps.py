"""Where the words of each region act, measured in the cross-attention of a model's blocks.

The attention of a region in a cell is the sum of the softmax probabilities of its tokens for the
query of that cell, averaged over heads, blocks and noise levels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F

from ..collage.collage import Collage
from ..collage.report import percent
from ..errors import quoted
from .bias import TokenColumns, TokenRegion, shrink_factor


def region_attention(
    q: torch.Tensor, k: torch.Tensor, heads: int, bias: torch.Tensor, columns: TokenColumns
) -> torch.Tensor:
    """[B, N, H * D] queries, [B, K, H * D] keys, [B, 1, N, K] bias -> [B, N, R], float32.

    Heads are computed one by one: the probabilities of all would be a block's largest tensor.
    """
    scale = (q.shape[-1] // heads) ** -0.5
    bias = bias.squeeze(1).float()
    total = q.new_zeros(len(q), q.shape[1], len(columns.membership), dtype=torch.float32)
    for q_head, k_head in zip(q.chunk(heads, -1), k.chunk(heads, -1), strict=True):
        scores = torch.baddbmm(bias, q_head.float(), k_head.float().mT, alpha=scale)
        total += scores.softmax(-1)[..., columns.tokens] @ columns.membership.T
    return total / heads


def onto_grid(maps: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Maps [B, R, h, w] in cells of a block -> [B, R, *grid] in latent cells, not interpolated.

    A UNet halves with rounding up, so the last cell of an odd side lies half outside.
    """
    factor = shrink_factor(grid, maps.shape[-2:])
    if factor is None:
        return F.interpolate(maps, grid, mode="nearest-exact")
    large = maps.repeat_interleave(factor, -2).repeat_interleave(factor, -1)
    return large[..., : grid[0], : grid[1]]


class AttentionSum:
    """Adds up the attention of the regions over the calls of a model's blocks, on the CPU."""

    def __init__(self, grid: tuple[int, int]) -> None:
        self.grid = grid
        self.calls = 0
        self.total = torch.zeros(())

    def record(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        heads: int,
        bias: torch.Tensor,
        columns: TokenColumns,
        size: tuple[int, int],
    ) -> None:
        """One call of one block of `size` cells."""
        self.add(region_attention(q, k, heads, bias, columns), size)

    def add(self, found: torch.Tensor, size: tuple[int, int]) -> None:
        """What `region_attention` gave for all cells of one call."""
        self.total = self.total + onto_grid(found.mT.unflatten(-1, size), self.grid).cpu()
        self.calls += 1

    def mean(self) -> torch.Tensor:
        """[B, R, *grid]; NaN when no block was called."""
        return self.total / self.calls


def layer_regions(regions: Sequence[TokenRegion]) -> list[int]:
    """The number of every layer's region, in the order of the layers."""
    pairs = [(layer, n) for n, region in enumerate(regions) for layer in region.layers]
    return [number for _, number in sorted(pairs)]


def region_masks(
    visible_alpha: torch.Tensor, regions: Sequence[TokenRegion], attention: torch.Tensor
) -> torch.Tensor:
    """Visible alpha [C, L, H, W] -> that of each region, in the shape of `attention` [B, R, h, w].

    A collage of one picture (C = 1) serves the whole batch. The alphas of a region's layers are
    added; their sum is never above 1.
    """
    h, w = attention.shape[-2:]
    cells = F.adaptive_avg_pool2d(visible_alpha.float(), (h, w)).to(attention.device)
    own = torch.stack([cells[:, list(region.layers)].sum(1) for region in regions], 1)
    return own.expand(len(attention), -1, -1, -1).clamp(max=1)


def leakage(attention: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """The share of each region's attention that lies outside its mask, both [B, R, h, w] -> [R].

    NaN where a region has no attention.
    """
    return (attention * (1 - masks)).sum((0, 2, 3)) / attention.sum((0, 2, 3))


def centres(maps: torch.Tensor) -> torch.Tensor:
    """[B, R, h, w] -> x and y of each region's centre of mass in fractions of the canvas: [R, 2].

    NaN where a region has no mass.
    """
    mass = maps.double().sum(0)
    h, w = mass.shape[-2:]
    x = (torch.arange(w, dtype=torch.float64) + 0.5) / w
    y = (torch.arange(h, dtype=torch.float64) + 0.5) / h
    return torch.stack([mass.sum(1) @ x, mass.sum(2) @ y], -1) / mass.sum((1, 2)).unsqueeze(-1)


def describe_attention(
    collage: Collage,
    regions: Sequence[TokenRegion],
    attention: torch.Tensor,
    levels: int,
    *,
    joint: bool = False,
) -> str:
    """Per shown layer its leakage, the leakage of chance, and the centre of its attention.

    attention: [B, R, h, w]; levels: the number of noise levels it was measured at; joint: whether a
    cell of the model attends to other cells and to words at once.
    """
    masks = region_masks(collage.composite.visible_alpha, regions, attention)
    region_of = layer_regions(regions)
    leaks = leakage(attention, masks).tolist()
    chances = (1 - masks.mean((0, 2, 3))).tolist()
    found, wanted = centres(attention).tolist(), centres(masks).tolist()
    lines = [*_head(collage, levels, len(attention))]
    if joint:
        share = percent(attention.sum(1).mean().item())
        lines.append(
            f"The layers' words get {share} of a cell's attention. The rest is for other words "
            "and, in a joint attention, for the cells; in a UNet words get some ten times more."
        )
    for (number, layer), region in zip(collage.numbered, region_of, strict=True):
        leak, chance = leaks[region], chances[region]
        score = _score(leak, chance, found[region], wanted[region])
        shared = [str(collage.numbered[i][0]) for i in regions[region].layers]
        lines += ["", f"{number} {quoted(layer.text)}: {score}"]
        lines += [f"    ! {note}" for note in _notes(leak, chance, shared, str(number))]
    return "\n".join(lines)


def _head(collage: Collage, levels: int, pictures: int) -> Iterator[str]:
    shown, total = len(collage.shown), len(collage.layers)
    over = f"{levels} noise {'level' if levels == 1 else 'levels'}"
    over += f" and {pictures} pictures" if pictures > 1 else ""
    yield f"Attention of {shown} of {total} layers on the finished picture, mean over {over}."
    yield "Leakage: its share outside the layer's visible mask. Chance: the canvas's share there."


def _score(leak: float, chance: float, found: list[float], wanted: list[float]) -> str:
    """The density distinguishes a thin haze over the canvas, which adds up, from a second place."""
    if math.isnan(leak):
        return "its words get no attention anywhere"
    score = f"leakage {percent(leak)}, chance {percent(chance)}"
    if leak > 0 and chance < 1:
        density = (1 - leak) / (1 - chance) * chance / leak
        score += f"; {density:.1f} times as dense inside as outside"
    if chance < 1:
        score += f"; centred at {_at(found)}, its mask at {_at(wanted)}"
    return score


def _at(centre: list[float]) -> str:
    return f"x {centre[0]:.2f} y {centre[1]:.2f}"


def _notes(leak: float, chance: float, sharers: list[str], number: str) -> Iterator[str]:
    if chance >= 1:
        yield "nothing of it can be seen: wherever its words act is outside"
    elif leak >= chance:
        yield "no better than chance: the model does not look for it there"
    if others := [other for other in sharers if other != number]:
        yield f"shares its words with layer {', '.join(others)}: one region, measured together"
