"""The bias on a transformer, once more: plain loops in float64, written from the formula alone."""

from __future__ import annotations

import math


class Float64Loop:
    """An optimized_attention_override for one model call.

    weights: [R, cells], w+ M - w- (1 - M) of each region; tokens: region -> its keys, counted from
    the first key; biased: for each row of the batch whether it is; factor: f(sigma); masks: M
    [R, cells] of words that act in their regions alone, None for others.
    """

    def __init__(
        self, lengths, first_cell, cells, weights, tokens, biased, factor, *, twin=False, masks=None
    ):
        self.lengths, self.first_cell, self.cells = lengths, first_cell, cells
        self.weights, self.tokens, self.biased, self.factor = weights, tokens, biased, factor
        self.twin, self.alike, self.masks = twin, {}, masks

    def __call__(self, function, q, k, v, heads, *args, **kwargs):
        names = ("mask", "attn_precision", "skip_reshape", "skip_output_reshape")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        by_head = given.get("skip_reshape", False)
        if not self.meant(q.shape[2 if by_head else 1], k.shape[2 if by_head else 1], given):
            return function(q, k, v, heads, *args, **kwargs)
        if not by_head:
            size = q.shape[-1] // heads
            q, k, v = (x.reshape(len(x), x.shape[1], -1, size).transpose(1, 2) for x in (q, k, v))
        k, v = (x.repeat_interleave(heads // x.shape[1], 1) for x in (k, v))
        out = self.softmax(q.double(), k.double(), v.double(), given.get("mask")).to(q)
        if given.get("skip_output_reshape"):
            return out
        return out.transpose(1, 2).reshape(len(out), out.shape[2], -1)

    def meant(self, queries, keys, given) -> bool:
        if (queries, keys) != self.lengths:
            return False
        block = (given.get("transformer_options") or {}).get("block_index")
        self.alike[block] = self.alike.get(block, 0) + 1
        return not self.twin or self.alike[block] % 2 == 0

    def softmax(self, q, k, v, mask):
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        biased = scores.clone()
        for row in range(len(q)):
            if not self.biased[row]:
                continue
            for region, tokens in enumerate(self.tokens):
                for token in tokens:
                    cells = slice(self.first_cell, self.first_cell + self.cells)
                    peak = max(float(scores[row, :, cells, token].max()), 0.0)
                    for cell in range(self.cells):
                        added = self.factor * peak * float(self.weights[region, cell])
                        added += self.kept_out(region, cell)
                        biased[row, :, self.first_cell + cell, token] += added
        if mask is not None:
            while mask.ndim < 4:
                mask = mask.unsqueeze(0 if mask.ndim == 2 else 1)
            biased = biased + mask.double()
        return biased.softmax(-1) @ v

    def kept_out(self, region: int, cell: int) -> float:
        if self.masks is None:
            return 0.0
        inside = float(self.masks[region, cell])
        return math.log(inside) if inside else -math.inf
