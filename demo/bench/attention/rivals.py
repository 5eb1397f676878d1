"""Other ways to compute the same attention: the paper's loop, the low-rank fold, and words apart.

The first two are attn2_replace functions for every block of a UNet's clone, and bias only the one
row of the positive conditioning. The third is one attention of a transformer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from comfy.ldm.modules import attention

from ...pack import load_pack

pack = load_pack()
core, joined = pack.collage_core.attention.bias, pack.nodes.host.attention.block.joined


def positive_rows(q: torch.Tensor, extra_options: dict) -> Iterator[int]:
    assert len(q) == len(extra_options["cond_or_uncond"]), "one picture at a time"
    for row, uncond in enumerate(extra_options["cond_or_uncond"]):
        if not uncond:
            yield row


def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """[B, N, H * D] -> [B, H, N, D]."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(x: torch.Tensor) -> torch.Tensor:
    """[B, H, N, D] -> [B, N, H * D]."""
    return x.transpose(1, 2).flatten(2)


@dataclass(frozen=True, eq=False)
class PaperLoop:
    """The authors' code: all scores, then a loop over the tokens.

    Their m_j may be negative; here it may not, because `this node` must give the same answer.
    masks: visible alphas, as `region_weights` gives them for attract 1 and repel 0.
    """

    masks: Any
    tokens: tuple[tuple[int, ...], ...]
    attract: float
    repel: float
    latent: tuple[int, int]
    sigma_factor: float
    _small: dict = field(default_factory=dict, repr=False)

    def __call__(self, q, k, v, extra_options):
        heads, size = extra_options["n_heads"], tuple(extra_options["activations_shape"][-2:])
        rows = list(positive_rows(q, extra_options))
        q, k, v = (split_heads(x, heads) for x in (q, k, v))
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5  # [B, H, N, K]
        if size not in self._small:
            self._small[size] = self.masks.region_weights(size, self.latent)[0].to(q)
        for row in rows:
            self._steer(scores[row], self._small[size])
        return join_heads(scores.softmax(-1) @ v)

    def _steer(self, scores: torch.Tensor, masks: torch.Tensor) -> None:
        """scores [H, N, K] in place; masks [N, L]."""
        for layer, tokens in enumerate(self.tokens):
            inside = masks[:, layer]
            for token in tokens:
                peak = scores[..., token].max().clamp(min=0)
                term = self.attract * inside - self.repel * (1 - inside)
                scores[..., token] += self.sigma_factor * peak * term


@dataclass(frozen=True, eq=False)
class LowRankFold:
    """The bias as additional channels of queries and keys, so that attention needs no mask."""

    bias: Any
    latent: tuple[int, int]
    sigma_factor: float
    _small: dict = field(default_factory=dict, repr=False)

    def __call__(self, q, k, v, extra_options):
        heads, size = extra_options["n_heads"], tuple(extra_options["activations_shape"][-2:])
        if size not in self._small:
            weights = self.bias.region_weights(size, self.latent).to(q)
            columns = self.bias.token_columns(k.shape[1], k.shape[1], self.sigma_factor)
            self._small[size] = weights, columns.to(q.device)
        weights, columns = self._small[size]  # bias = weights @ shares
        shares = k.new_zeros(len(k), k.shape[1], weights.shape[-1])
        for row in positive_rows(q, extra_options):
            peaks = core.peak_scores(q[row, None], k[row, None, columns.tokens], heads)
            shares[row, columns.tokens] = (columns.membership * peaks).T.to(k) * columns.factor
        q, k, v = (split_heads(x, heads) for x in (q, k, v))
        width, scale = q.shape[-1], q.shape[-1] ** -0.5
        q = _widen(q, weights[:, None].expand(len(q), heads, -1, -1))
        k = _widen(k, (shares / scale)[:, None].expand(-1, heads, -1, -1))
        v = F.pad(v, (0, q.shape[-1] - width))
        out = attention.attention_pytorch(
            q, k, v, heads, skip_reshape=True, skip_output_reshape=True, scale=scale
        )
        return join_heads(out[..., :width])


def _widen(x: torch.Tensor, more: torch.Tensor) -> torch.Tensor:
    """x with additional channels, padded with zeros to a multiple of 8."""
    x = torch.cat((x, more), -1)
    return F.pad(x, (0, -x.shape[-1] % 8))


@dataclass(frozen=True, eq=False)
class WordsApart:
    """The plain kernel on all keys but the words, and the words by themselves; no mask.

    Both results are joined by their log-sum-exp, which is exact. Correcting the plain result of all
    keys instead, out + sum_j p_j (exp(b_j) - 1) v_j, is exact on paper alone: where a word that
    took nearly all of a cell is repelled, both sums cancel, and half precision has no digit left.
    layout and own are those of the node's JointAttention; every row of the batch is biased.
    """

    layout: Any
    own: Any

    def __call__(self, function, q, k, v, heads, *_arguments, **_options):
        """q, k, v [B, H, N, D], as transformers give them -> [B, N, H * D]."""
        first, end = self.layout.first_cell, self.layout.first_cell + self.layout.cells
        parts = [
            function(q[:, :, own], k, v, heads, skip_reshape=True, skip_output_reshape=True)
            for own in (slice(0, first), slice(end, None))
            if q[:, :, own].shape[2]
        ]
        parts.insert(1 if first else 0, self._cells(q[:, :, first:end], k, v))
        return join_heads(joined(parts, 2))

    def _cells(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        columns, others = self.own.columns, self._others
        words = k[:, :, columns.tokens]
        shares = columns.shares(core.peaks_by_head(q, words))
        bias = (self.own.weights @ shares).clamp(-core.LIMIT, core.LIMIT)[:, None]
        scores = (q @ (words * q.shape[-1] ** -0.5).mT).float() + bias
        out, lse = plain_kernel(q)(q, k[:, :, others], v[:, :, others])[:2]
        total = torch.logaddexp(lse, scores.logsumexp(-1))[..., None]
        of_words = (scores - total).exp().to(v) @ v[:, :, columns.tokens]
        return out * (lse[..., None] - total).exp().to(out) + of_words

    @cached_property
    def _others(self) -> torch.Tensor:
        """Keys that are no layer's words; made once, as the device has to wait for their number."""
        kept = self.own.columns.tokens.new_ones(self.layout.keys, dtype=torch.bool)
        kept[self.own.columns.tokens] = False
        return kept.nonzero()[:, 0]


def plain_kernel(q: torch.Tensor) -> Callable:
    """PyTorch's attention that also returns its log-sum-exp [B, H, N] float32; names it hides."""
    if q.device.type == "cuda":
        return torch.ops.aten._scaled_dot_product_flash_attention  # noqa: SLF001
    return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001
