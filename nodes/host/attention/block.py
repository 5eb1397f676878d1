"""Cross-attention of one UNet block with the bias, chained with whoever held the block before.

An attn2_replace function is called as (q, k, v, extra_options). It may be part of a model that
torch.compile has compiled: what changes from step to step is a tensor, made before the call.

Host symbols:
    comfy.ldm.modules.attention.optimized_attention: __call__
    comfy.ldm.modules.attention.BasicTransformerBlock: "attn2", "n_heads", "attn_precision"
    comfy.ldm.modules.attention.BasicTransformerBlock: "patches", "attn2_patch"
    comfy.ldm.modules.attention.SpatialTransformer: "activations_shape"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from comfy.ldm.modules import attention

from ....collage_core.attention.bias import TokenColumns, attention_bias
from ....collage_core.errors import CollageError
from .conditioning import NODE
from .override import biased_attention

Size = tuple[int, int]  # rows and columns of a block's cells


@dataclass(frozen=True, eq=False)
class RowBias:
    """What biases one chunk's rows: region weights [1 or rows, N, R] at the block's size, those of
    another size for blocks that a patch has shrunk, and the tokens."""

    weights: torch.Tensor
    weights_at: Callable[[Size], torch.Tensor]
    columns: TokenColumns


@dataclass(frozen=True)
class Due:
    """What every block has to be asked with: rows of each chunk and keys.

    more: whether keys may follow, which `watch_tokens` then looks at.
    """

    rows: int
    keys: int
    more: bool


@dataclass(frozen=True, eq=False)
class BlockAttention:
    """Takes the place of one block's cross-attention during one call.

    size: the block's rows and columns in the model as it is; biases: of each chunk of the batch;
    through: whether rows with a bias go by way of another pack's attention.
    """

    size: Size
    biases: tuple[RowBias | None, ...]
    previous: Callable[..., torch.Tensor] | None
    due: Due
    through: bool = False
    recorder: Any = None

    def __call__(self, q, k, v, extra_options):
        """q [rows, N, H * D], k and v [rows, K, H * D] -> [rows, N, H * D].

        Rows without a bias go the usual way. An earlier occupant of the block sees the whole
        batch; to what it returns for biased rows the difference that the bias makes is added.
        """
        self._check_arrived(q, k)
        earlier = self.previous(q, k, v, extra_options) if self.previous is not None else None
        parts, rows = [], self.due.rows
        for number, bias in enumerate(self.biases):
            own = slice(number * rows, (number + 1) * rows)
            row = (q[own], k[own], v[own])
            out = earlier[own] if earlier is not None else None
            if bias is None:
                parts.append(_plain(*row, extra_options) if out is None else out)
                continue
            biased = self._biased(*row, bias, extra_options)
            parts.append(biased if out is None else out + (biased - _plain(*row, extra_options)))
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _check_arrived(self, q, k) -> None:
        """Places count rows and keys from the first: none may be missing, or stand before."""
        due, rows, keys = self.due, len(self.biases) * self.due.rows, k.shape[1]
        if len(q) != rows or len(k) != rows:
            raise CollageError(
                f"{NODE}, output model: {len(q)} rows arrive at a block that is due {rows}, so "
                "another patch of the model drops, adds or splits rows. Take it out."
            )
        if keys < due.keys or (keys > due.keys and not due.more):
            raise CollageError(
                f"{NODE}, output model: {keys} tokens arrive at a block that is due {due.keys}, so "
                "another patch of the model cuts or adds tokens of the prompt. Take it out."
            )

    def _biased(self, q, k, v, own: RowBias, extra_options):
        heads = extra_options["n_heads"]
        height, width = extra_options["activations_shape"][-2:]
        size = (height, width)
        if size[0] * size[1] != q.shape[1]:
            raise CollageError(
                f"{NODE}, output model: a block of {size[1]} x {size[0]} cells has "
                f"{q.shape[1]} queries, so another patch of the model moved them. Take out "
                "patches that merge or cut tokens of cross-attention."
            )
        weights = own.weights if size == self.size else own.weights_at(size)
        bias = attention_bias(q, k, heads, weights, own.columns)
        if self.recorder is not None:
            self.recorder.record(q, k, heads, bias, own.columns, size)
        return biased_attention(q, k, v, bias, extra_options, through=self.through)


def watch_tokens(options: dict, context: torch.Tensor) -> dict:
    """The options with one more patch behind those that may change the tokens of a block.

    context: text features [rows, K, D] that the model is asked with. Tokens that are appended are
    left alone; the patch changes nothing, and refuses what moves those that were there.
    """
    patches = options.get("patches", {})

    def watch(n, tokens, value, _):
        length = context.shape[1]
        if tokens.shape[1] > length and not torch.equal(tokens[:, :length], context.to(tokens)):
            raise CollageError(
                f"{NODE}, output model: {tokens.shape[1]} tokens arrive at a block in place of "
                f"{length}, and do not begin with these, so another patch of the model puts some "
                "before or between them. Take it out."
            )
        return n, tokens, value

    if "attn2_patch" not in patches:
        return options
    return {**options, "patches": {**patches, "attn2_patch": [*patches["attn2_patch"], watch]}}


def _plain(q, k, v, extra_options):
    """Cross-attention as the host's CrossAttention runs it."""
    return attention.optimized_attention(
        q,
        k,
        v,
        extra_options["n_heads"],
        attn_precision=extra_options["attn_precision"],
        transformer_options=extra_options,
    )
