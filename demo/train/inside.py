"""Two auxiliary losses of training that use the painted world's ground truth.

Both speed up the learning of words and shapes; sampling uses neither.

- A 1 x 1 convolution predicts kind, colour and pattern of every cell from the UNet's features.
  REPA (Yu et al. 2024, arXiv 2410.06940) aligns features with those of another network; here the
  ground truth replaces that network.
- The attention of a phrase's tokens should lie where its object is visible, as in TokenCompose
  (Wang et al. 2023, arXiv 2312.03626).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from .. import world
from ..architecture import UNET
from ..judges import judge
from .latents import Batch

CLASSES = {"kinds": len(world.KINDS), "colors": len(judge.COLORS), "patterns": len(judge.PATTERNS)}
TAPPED_BLOCK = 3  # of the output blocks: the last at half the latent's size
TEXT_LENGTH = 77


class Inside:
    """Watches one UNet: the features of one block, and its cross-attention."""

    def __init__(self, unet: Any):
        width = UNET["model_channels"] * UNET["channel_mult"][1]
        self.head = torch.nn.Conv2d(width, sum(CLASSES.values()), 1)
        self.features = torch.empty(0)
        self.maps: list[torch.Tensor] = []
        unet.output_blocks[TAPPED_BLOCK][-1].register_forward_hook(self._tap)

    def _tap(self, _module: Any, _inputs: Any, output: torch.Tensor) -> None:
        self.features = output

    def transformer_options(self) -> dict[str, Any]:
        """Options for one call of the UNet; they clear what was recorded before."""
        self.maps = []
        return {"optimized_attention_override": self._attend}

    def _attend(self, function, q, k, v, heads, *args, **options) -> torch.Tensor:
        """Cross-attention with its probabilities kept: [B, cells, TEXT_LENGTH], mean of heads."""
        if k.shape[1] != TEXT_LENGTH:
            return function(q, k, v, heads, *args, **options)
        width = q.shape[-1] // heads
        q, k, v = (x.unflatten(-1, (heads, width)).transpose(1, 2) for x in (q, k, v))
        shares = (q @ k.transpose(-1, -2) * width**-0.5).softmax(-1)
        self.maps.append(shares.mean(1))
        return (shares @ v).transpose(1, 2).flatten(2)

    def label_loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy of kind, colour and pattern of every cell, summed over the three."""
        told = self.head(self.features).split(list(CLASSES.values()), 1)
        total = torch.zeros((), device=batch.x.device)
        for (name, count), logits in zip(CLASSES.items(), told, strict=True):
            shares = F.one_hot(batch.labels[name], count).permute(0, 3, 1, 2).float()
            shares = F.adaptive_avg_pool2d(shares, logits.shape[-1])
            total = total - (shares * logits.float().log_softmax(1)).sum(1).mean()
        return total

    def grounding_loss(self, batch: Batch) -> torch.Tensor:
        """Squared share of each phrase's attention outside of its visible object."""
        present = (batch.tokens_of.sum(-1) > 0).float()
        total = torch.zeros((), device=batch.x.device)
        for shares in self.maps:
            size = int(shares.shape[1] ** 0.5)
            seen = F.adaptive_avg_pool2d(batch.seen, size).flatten(2)
            of_phrase = torch.einsum("bnt,bpt->bpn", shares.float(), batch.tokens_of)
            outside = 1 - (of_phrase * seen).sum(-1) / (of_phrase.sum(-1) + 1e-6)
            total = total + (outside**2 * present).sum() / present.sum().clamp(min=1)
        return total / max(1, len(self.maps))
