"""The paper's cross-attention, token by token, from what a `Spy` noted of one block."""

from __future__ import annotations

import math

import torch

TOKENS = ((2, 3), (6, 7))  # of "red fox" and "blue bear" in the prompt of these tests


def factor(sigma: float) -> float:
    return math.log(math.log(sigma + 1.01) + 1)


def attention(block: dict, row: int, masks, collage, f: float, starts=None) -> torch.Tensor:
    """S + f m_j (w+ M - w- (1 - M)) for every token j of every layer, then softmax and values.

    starts: where the prompt begins among the keys; every 77 keys unless said otherwise.
    """
    heads = block["heads"]
    q, k, v = (block[name][row].unflatten(-1, (heads, -1)).transpose(0, 1) for name in "qkv")
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    biased = scores.clone()
    for layer, mask, tokens in zip(collage.shown, masks, TOKENS, strict=True):
        inside = mask.flatten()
        for start in starts or range(0, scores.shape[-1], 77):
            for j in (start + token for token in tokens):
                m = max(scores[:, :, j].max().item(), 0.0)
                biased[:, :, j] += f * m * (layer.attract * inside - layer.repel * (1 - inside))
    return (biased.softmax(-1) @ v).transpose(0, 1).flatten(1)


def latent_masks(collage) -> list[torch.Tensor]:
    cells = (collage.height // 8, collage.width // 8)
    return [shrink(mask, cells, 8) for mask in collage.composite.visible_alpha[0]]


def masks_of(block: dict, collage) -> tuple[list[torch.Tensor], int]:
    """The layers' masks on the grid of a block, and the side of its cells in latent cells."""
    columns = block["grid"][1]
    side = next(2**n for n in range(9) if -(-(collage.width // 8) // 2**n) == columns)
    return [shrink(mask, block["grid"], side) for mask in latent_masks(collage)], side


def shrink(mask: torch.Tensor, cells: tuple[int, int], side: int) -> torch.Tensor:
    """Means over squares of `side`, cut off at the edge, with the largest value kept."""
    rows, columns = cells
    squares = [
        [mask[y * side : (y + 1) * side, x * side : (x + 1) * side].mean() for x in range(columns)]
        for y in range(rows)
    ]
    small = torch.tensor(squares)
    return small * max(1.0, (mask.max() / small.max()).item())


def steered(call: dict) -> dict[int, list[bool]]:
    """Per cond_or_uncond of a call whether each of its rows got a bias, the same in all blocks."""
    found: dict[int, list[bool]] = {}
    for row, number in enumerate(call["rows"]):
        differs = set()
        for block in call["blocks"]:
            heads = block["heads"]
            q, k, v = (block[n][row].unflatten(-1, (heads, -1)).transpose(0, 1) for n in "qkv")
            plain = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).softmax(-1) @ v
            gap = block["out"][row] - plain.transpose(0, 1).flatten(1)
            differs.add(bool(gap.abs().max() > 1e-3))
        assert len(differs) == 1, (number, differs)
        found.setdefault(number, []).extend(differs)
    return found
