"""Which picture a latent is: known, or not told by its place in the batch."""

from __future__ import annotations

import pytest

from collage_core.collage.collage import batch_pictures


@pytest.mark.parametrize(
    ("pictures", "count", "index", "found"),
    [
        (1, 3, None, (0, 0, 0)),
        (1, 2, [7, 7], (0, 0)),
        (4, 4, None, (0, 1, 2, 3)),
        (4, 4, [2, 3, 1, 0], (2, 3, 1, 0)),
        (4, 4, [5, 5, 5, 5], (0, 1, 2, 3)),  # LatentBatchSeedBehavior
        (8, 1, [7], (7,)),  # LatentFromBatch
        (8, 3, [3, 4, 5], (3, 4, 5)),  # RebatchLatents
        (8, 1, None, None),
        (4, 3, None, None),
        (4, 8, None, None),
        (4, 8, [*range(8)], None),
        (4, 1, [4], None),
        (4, 1, [-1], None),
        (2, 2, [1, 2], None),  # RepeatLatentBatch of the second
        (4, 4, [0, 1, 0, 1], None),
        (4, 3, [2, 2, 2], None),
        (4, 3, [0, 1], None),
        (4, 4, [0, 1], (0, 1, 2, 3)),
    ],
)
def test_pictures_of_a_batch(
    pictures: int, count: int, index: list[int] | None, found: tuple[int, ...] | None
) -> None:
    assert batch_pictures(pictures, count, index) == found
