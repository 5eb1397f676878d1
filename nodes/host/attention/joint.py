"""Attention of ComfyUI's transformers with the bias, through optimized_attention_override.

The override gets every attention call of the network. It biases the rows of picture cells towards
the columns of words, in the calls whose lengths are those of the layout, and hands everything else
on. Rotary embeddings and norms of queries and keys are done before it.

Host symbols:
    comfy.ldm.modules.attention.wrap_attn: "optimized_attention_override", "transformer_options"
    comfy.ldm.modules.attention.attention_pytorch(q, k, v, heads, *, mask, skip_reshape,
        skip_output_reshape)
    comfy.ldm.modules.attention.optimized_attention: "heads", "skip_reshape", "skip_output_reshape"
    comfy.ldm.cosmos.predict2.MiniTrainDIT: "block_index"
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from comfy.ldm.modules import attention
from einops import rearrange

from ....collage_core.attention.bias import bias_of_cells, peaks_by_head
from ....collage_core.attention.maps import region_attention
from ..models.transformers import Layout
from .block import BlockBias, joined

# the positional arguments of every attention function of ComfyUI
POSITIONAL = ("q", "k", "v", "heads", "mask", "attn_precision", "skip_reshape")
POSITIONAL += ("skip_output_reshape",)
ROWS = 2048  # of the mask at once; its rows do not depend on each other

Attend = Callable[..., torch.Tensor]


@dataclass(frozen=True, eq=False)
class AttentionCall:
    """One attention call: q, k, v [B, H, N, D] whatever form they came in, and its mask or None.

    attend: computes it, by way of other packs; more: its other arguments.
    """

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    mask: torch.Tensor | None
    attend: Attend
    more: dict[str, Any]

    @classmethod
    def of(cls, attend: Attend, given: dict[str, Any]) -> AttentionCall:
        q, k, v, heads = (given[name] for name in POSITIONAL[:4])
        if not given.get("skip_reshape"):
            width = q.shape[-1] // heads
            q, k, v = (_by_head(x, width) for x in (q, k, v))
        if k.shape[1] != q.shape[1]:  # several heads of queries share one of keys
            times = q.shape[1] // k.shape[1]
            k, v = k.repeat_interleave(times, 1), v.repeat_interleave(times, 1)
        known = {*POSITIONAL[:5], "skip_reshape", "skip_output_reshape", "enable_gqa"}
        more = {name: value for name, value in given.items() if name not in known}
        return cls(q, k, v, given.get("mask"), attend, more)

    def batch(self, own: slice) -> AttentionCall:
        """The same call for some rows of the batch."""
        mask = self.mask
        if mask is not None:
            while mask.ndim < 4:
                mask = mask.unsqueeze(0 if mask.ndim == 2 else 1)
            mask = mask[own] if len(mask) > 1 else mask
        return replace(self, q=self.q[own], k=self.k[own], v=self.v[own], mask=mask)

    def mask_of(self, own: slice, added: torch.Tensor | None) -> Any:
        """The mask of these queries, and `added` to it; None without either."""
        mask = self.mask
        if mask is not None and mask.shape[2] > 1:
            mask = mask[:, :, own]
        if added is not None and mask is not None and mask.dtype == torch.bool:
            mask = torch.zeros_like(mask, dtype=added.dtype).masked_fill(~mask, -math.inf)
        if added is not None:
            mask = added if mask is None else added + mask.to(added)
        return mask

    def rows(self, own: slice, added: torch.Tensor | None, attend: Attend) -> torch.Tensor:
        """[B, H, rows, D] of these queries; `added` [B, 1, rows, K] joins the mask of the call."""
        mask = self.mask_of(own, added)
        q, heads = self.q[:, :, own], self.q.shape[1]
        form = {"skip_reshape": True, "skip_output_reshape": True}
        return attend(q, self.k, self.v, heads, **{**self.more, "mask": mask, **form})


def _by_head(x: torch.Tensor, width: int) -> torch.Tensor:
    """[B, N, H * D], or [B, N, H, D] as the values of SD3 -> [B, H, N, D]."""
    return x.transpose(1, 2) if x.ndim == 4 else rearrange(x, "b n (h d) -> b h n d", d=width)


@dataclass(eq=False)
class JointAttention:
    """The override of one model call.

    biases: one for each chunk of the batch, None for a chunk without; pictures: rows of the batch
    of each chunk; previous: the override of another pack; use_override: whether it obeys masks, so
    that biased rows run in it too; recorder: an AttentionSum or None. acted: whether any call was
    biased; it is never read here, as torch.compile would then compile every block anew.

        joint = JointAttention(layout, (bias, None), pictures=1)
        options["optimized_attention_override"] = joint
    """

    layout: Layout
    biases: tuple[BlockBias | None, ...]
    pictures: int
    previous: Attend | None = None
    use_override: bool = False
    recorder: Any = None
    acted: bool = False
    _alike: dict[Any, int] = field(default_factory=dict)

    def __call__(self, function: Attend, *args: Any, **kwargs: Any) -> torch.Tensor:
        attend = function if self.previous is None else partial(self.previous, function)
        given = {POSITIONAL[place]: value for place, value in enumerate(args)} | kwargs
        if not self._is_meant(given):
            return attend(*args, **kwargs)
        self.acted = True
        call, everything, parts = AttentionCall.of(attend, given), slice(None), []
        for number, bias in enumerate(self.biases):
            chunk = call.batch(slice(number * self.pictures, (number + 1) * self.pictures))
            plain = bias is None
            parts.append(
                chunk.rows(everything, None, attend) if plain else self._biased(chunk, bias)
            )
        out = joined(parts)
        by_head = given.get("skip_output_reshape")
        return out if by_head else rearrange(out, "b h n d -> b n (h d)")

    def _is_meant(self, given: dict[str, Any]) -> bool:
        place = 2 if given.get("skip_reshape") else 1  # of the length in the shape
        lengths = (given["q"].shape[place], given["k"].shape[place])
        if lengths != (self.layout.queries, self.layout.keys):
            return False
        if not self.layout.twins:
            return True
        # twins come first in a block; without block_index all calls of the model count on
        block = (given.get("transformer_options") or {}).get("block_index")
        self._alike[block] = self._alike.get(block, 0) + 1
        return self._alike[block] % (self.layout.twins + 1) == 0

    def _biased(self, call: AttentionCall, own: BlockBias) -> torch.Tensor:
        """[rows, H, N, D]: the picture's cells in pieces with a mask, the other rows without."""
        first, end = self.layout.first_cell, self.layout.first_cell + self.layout.cells
        parts = [call.rows(slice(0, first), None, call.attend)] if first else []
        q, k, heads = call.q[:, :, first:end], call.k, call.q.shape[1]
        peaks = peaks_by_head(q, k[:, :, own.columns.tokens])
        run = call.attend if self.use_override else _in_pytorch
        shares = []
        for start in range(0, end - first, ROWS):
            weights = own.weights[:, start : start + ROWS]
            bias = bias_of_cells(peaks, weights, own.columns, k.shape[2]).to(q.dtype)
            rows = slice(first + start, first + start + weights.shape[1])
            parts.append(call.rows(rows, bias, run))
            if self.recorder is not None:
                some, whole = q[:, :, start : start + weights.shape[1]], call.mask_of(rows, bias)
                some, keys = (rearrange(x, "b h n d -> b n (h d)") for x in (some, k))
                shares.append(region_attention(some, keys, heads, whole, own.columns))
        if self.recorder is not None:
            self.recorder.add(torch.cat(shares, 1), self.layout.grid)
        if end < self.layout.queries:
            parts.append(call.rows(slice(end, self.layout.queries), None, call.attend))
        return joined(parts, 2)


def _in_pytorch(q, k, v, heads, *, mask, skip_reshape, skip_output_reshape, **_) -> torch.Tensor:
    # not the backend that ComfyUI was started with: some support no mask
    form = {"skip_reshape": skip_reshape, "skip_output_reshape": skip_output_reshape}
    return attention.attention_pytorch(q, k, v, heads, mask=mask, **form)
