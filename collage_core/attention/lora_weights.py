"""How strongly each LoRA of a collage acts on every cell of the picture and on every word.

A cell takes the LoRAs of the layers that are seen in it, a word those of the layer that it names.
What belongs to no layer (the time, pooled text, padding, words of no layer) takes each LoRA with
the share of the picture in which its layer is seen. So a layer that covers all of the picture has
its LoRA act everywhere, as if it were loaded for the whole model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from .bias import Area, TokenRegion, part_of, shrunk_masks


@dataclass(frozen=True, eq=False)
class LoraWeights:
    """The strengths of G LoRAs in L layers.

    masks: visible alpha [B, L, H, W] in [0, 1]; strengths: [G, L], 0 where a layer does not have
    the LoRA. A LoRA of several layers is one row, so it is computed once.

        weights = LoraWeights(collage.composite.visible_alpha, torch.tensor([[1.0, 0.0]]))
        cells = weights.cells((64, 64))
        weights.of_cells(cells, (32, 32))  # [B, 1024, 1]
    """

    masks: torch.Tensor = field(repr=False)
    strengths: torch.Tensor

    def cells(self, latent: tuple[int, int], area: Area | None = None) -> torch.Tensor:
        """The masks in latent cells, [B, L, h, w] float32; area: the part that is painted.

        The average of a cell, not its peak: the LoRAs of a cell never add up to more than one.
        """
        return part_of(F.adaptive_avg_pool2d(self.masks.float(), latent), area)

    def of_cells(self, cells: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """[B, h * w, G] for cells of that size, of what `cells` returned."""
        small = shrunk_masks(cells, size).flatten(2).transpose(1, 2)
        return small @ self.strengths.T.to(small)

    def share(self, cells: torch.Tensor) -> torch.Tensor:
        """[B, G] for what belongs to no layer."""
        return cells.mean((-2, -1)) @ self.strengths.T.to(cells)

    def of_tokens(
        self, cells: torch.Tensor, regions: Sequence[TokenRegion], length: int, start: int = 0
    ) -> torch.Tensor:
        """[B, length, G]; regions: the tokens of the layers' words; start: those before the first.

        Layers that share words share them as they share the picture.
        """
        areas = cells.mean((-2, -1))
        total, owners = areas.new_zeros(len(areas), length, areas.shape[1]), [0] * length
        for region in regions:
            for place in region.tokens:
                owners[place + start] += 1
                total[:, place + start] += _parts(areas, region.layers)
        counts = areas.new_tensor(owners)[None, :, None]
        words = (total / counts.clamp(min=1)) @ self.strengths.T.to(cells)
        return torch.where(counts > 0, words, self.share(cells)[:, None])


def _parts(areas: torch.Tensor, layers: Sequence[int]) -> torch.Tensor:
    """The part [B, L] of each layer in words that these layers share, 1 in all."""
    own = areas[:, list(layers)]
    whole = own.sum(1, keepdim=True)
    parts = torch.zeros_like(areas)
    parts[:, list(layers)] = torch.where(whole > 0, own / whole, 1 / len(layers))
    return parts
