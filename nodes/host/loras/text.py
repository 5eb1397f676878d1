"""The words of a layer as the text encoder reads them under the LoRAs of that layer.

Host symbols:
    comfy.sd.CLIP: clone(), add_patches(patches, strength_patch)
    comfy.sd.CLIP: encode_from_tokens_scheduled(tokens)
    comfy.sd.CLIP: "pooled_output"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ....collage_core.attention.lora_weights import LoraWeights

Patches = Sequence[tuple[dict[Any, Any], float]]  # of one set of LoRAs, each with its strength
POOLED = "pooled_output"


def encoded_under(clip, tokens, patches: Patches) -> list:
    """The CONDITIONING that the CLIP makes of the tokens with these LoRAs."""
    changed = clip.clone()
    for patch, strength in patches:
        changed.add_patches(patch, strength)
    return changed.encode_from_tokens_scheduled(tokens)


def mixed(plain: list, changed: Sequence[list], weights: LoraWeights, regions) -> list:
    """A CONDITIONING whose tokens come from those that their layers' LoRAs changed.

    plain: without LoRAs; changed: one CONDITIONING for each row of weights.strengths, which is 1
    for the layers that have those LoRAs; regions: the tokens of the layers' words.
    """
    height, width = weights.masks.shape[-2:]
    cells = weights.cells((height, width))
    return [
        _mixed_entry(entry, others, weights, cells, regions)
        for entry, *others in zip(plain, *changed, strict=True)
    ]


def _mixed_entry(entry, others, weights: LoraWeights, cells: torch.Tensor, regions) -> list:
    features, options = entry
    tokens = weights.of_tokens(cells, regions, features.shape[1]).mean(0).to(features)  # [T, G]
    share = weights.share(cells).mean(0).to(features)
    found = _sum(features, [one for one, _ in others], tokens.T[..., None])
    pooled = options.get(POOLED)
    if pooled is None:
        return [found, options]
    every = [more[POOLED] for _, more in others]
    return [found, {**options, POOLED: _sum(pooled, every, share.to(pooled))}]


def _sum(plain: torch.Tensor, others: list[torch.Tensor], shares: torch.Tensor) -> torch.Tensor:
    """The other tensors by their shares, and the rest plain; a share of 1 is the other itself."""
    total = plain * (1 - shares.sum(0))
    for one, share in zip(others, shares, strict=True):
        total = total + one * share
    return total
