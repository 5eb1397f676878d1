"""Which picture of a collage every latent of a batch is."""

from __future__ import annotations

from collections.abc import Sequence


def batch_pictures(
    pictures: int, count: int, batch_index: Sequence[int] | None = None
) -> tuple[int, ...] | None:
    """The picture, from 0 on, of each of `count` latents; None where that is not known.

    A collage of one picture serves any batch, and as many latents as pictures are these in their
    order. Otherwise ComfyUI's `batch_index` tells, which nodes that take a part of a batch keep:
    but a number for all (LatentBatchSeedBehavior) is about their noise, one that comes twice or
    is none of a picture's (RepeatLatentBatch) may be.
    """
    if pictures == 1:
        return (0,) * count
    whole = tuple(range(pictures)) if count == pictures else None
    index = tuple(batch_index or ())
    if len(index) != count or (count > 1 and len(set(index)) == 1):
        return whole
    known = len(set(index)) == count and all(0 <= i < pictures for i in index)
    return index if known else None
