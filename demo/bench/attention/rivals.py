"""Other ways to compute the same cross-attention: the paper's loop, and the low-rank fold.

Both are attn2_replace functions for every block of a clone, and bias only the one row of the
positive conditioning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from comfy.ldm.modules import attention

from ...pack import load_pack

core = load_pack().collage_core.attention.bias


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
