"""Attention of other packs, for `optimized_attention_override`: twice the host's."""

from __future__ import annotations


def doubled(func, *args, **kwargs):
    return func(*args, **kwargs) * 2


def without_masks(func, q, k, v, heads, mask=None, **kwargs):
    """As attention kernels do that take any keyword, and know no mask."""
    return func(q, k, v, heads, **kwargs) * 2


def refuses_masks(func, *args, mask=None, **kwargs):
    if mask is not None:
        raise NotImplementedError("no masks here")
    return func(*args, **kwargs) * 2
