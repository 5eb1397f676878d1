"""Rows of an unfinished latent, found again after other nodes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from collage_core.errors import CollageError
from collage_core.noise.original import Original

B, C, H, W = 3, 4, 5, 7
PICTURE = torch.zeros(1, 8 * H, 8 * W, 3)


@pytest.fixture
def noisy(generator: torch.Generator) -> Tensor:
    return torch.randn(B, C, H, W, generator=generator)


@pytest.fixture
def clean(generator: torch.Generator) -> Tensor:
    return torch.randn(B, C, H, W, generator=generator)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0], [1, 1, 1, 1, 0], [1]])
def test_every_row_has_its_own_original(noisy: Tensor, clean: Tensor, order: list[int]) -> None:
    record = Original.of_rows(noisy, clean, None, None, end=4, sigma=3.0)
    found = record.of(noisy[order], None)
    assert found is not None
    assert torch.equal(found, clean[order])


def test_the_record_stays_when_a_node_writes_into_the_tensors(noisy: Tensor, clean: Tensor) -> None:
    record = Original.of_rows(noisy, clean, None, None, end=4, sigma=3.0)
    left, kept = noisy.clone(), clean.clone()
    noisy.zero_()
    clean.zero_()
    found = record.of(left, None)
    assert found is not None
    assert torch.equal(found, kept)


def test_other_values_belong_to_the_rows_they_came_from(noisy: Tensor, clean: Tensor) -> None:
    record = Original.of_rows(noisy, clean, [4, 4, 7], None, end=4, sigma=3.0)
    found = record.of(2 * noisy, [4, 4, 7])
    assert found is not None
    assert torch.equal(found, clean)
    with pytest.raises(CollageError, match="cannot be told"):
        record.of(2 * noisy, [4, 7, 4])
    with pytest.raises(CollageError, match="its 2 pictures were taken from a batch"):
        record.of(2 * noisy[:2], [4, 4, 7])


def test_of_another_size_only_the_composite_serves(noisy: Tensor, clean: Tensor) -> None:
    record = Original.of_rows(noisy, clean, None, PICTURE, end=4, sigma=3.0)
    assert record.of(noisy[..., :6], None) is None
    record = Original.of_rows(noisy, clean, None, None, end=4, sigma=3.0)
    with pytest.raises(CollageError, match="after the sampler that stopped at step 4"):
        record.of(noisy[..., :6], None)


def test_moved_cells_are_refused(noisy: Tensor, clean: Tensor) -> None:
    record = Original.of_rows(noisy, clean, None, PICTURE, end=4, sigma=3.0)
    for moved in (noisy.flip(-1), noisy.roll(2, -2)):
        with pytest.raises(CollageError, match="flipped, turned or moved"):
            record.of(moved, None)


def test_rows_of_two_runs_are_refused(noisy: Tensor, clean: Tensor) -> None:
    record = Original.of_rows(noisy[:2], clean[:2], None, PICTURE, end=4, sigma=3.0)
    with pytest.raises(CollageError, match="picture 3 of its 3 does not come from the run"):
        record.of(noisy, None)
