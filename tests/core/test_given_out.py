"""What is given out shares memory, and nobody notices."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest
import torch
import torch.utils.dlpack
from torch import Tensor

from collage_core.imaging.pixels import given_out


def by_pointer(tensor: Tensor) -> None:
    ctypes.memset(tensor.data_ptr(), 0, tensor.numel() * 4)


def by_dlpack(tensor: Tensor) -> None:
    other: Tensor = torch.utils.dlpack.from_dlpack(tensor)
    other.fill_(2)


WAYS: dict[str, Callable[[Tensor], object]] = {
    "in place": lambda tensor: tensor.mul_(0),
    "a place": lambda tensor: tensor[0, 1].fill_(7),
    "a view": lambda tensor: tensor.flatten()[3:5].zero_(),
    "out": lambda tensor: torch.add(tensor, 1, out=tensor),
    "detached": lambda tensor: tensor.detach().zero_(),
    "numpy": lambda tensor: tensor.numpy().fill(3),
    "numpy of a view": lambda tensor: tensor[0].numpy().fill(3),
    "dlpack": by_dlpack,
    "storage": lambda tensor: tensor.untyped_storage().copy_(torch.zeros(60).untyped_storage()),
    "pointer": by_pointer,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("inference", [True, False])
def test_writing_into_it_leaves_the_original(
    generator: torch.Generator, way: str, inference: bool
) -> None:
    with torch.inference_mode(inference):
        original = torch.rand(3, 4, 5, generator=generator)
        before = original.tolist()
        WAYS[way](given_out(original))
        assert original.tolist() == before


@pytest.mark.parametrize("way", WAYS)
def test_writing_into_the_original_leaves_it(generator: torch.Generator, way: str) -> None:
    original = torch.rand(3, 4, 5, generator=generator)
    given, before = given_out(original), original.tolist()
    WAYS[way](original)
    assert given.tolist() == before


def test_it_takes_no_memory_until_then() -> None:
    original = torch.rand(3, 4, 5)
    given = given_out(original)
    shared = getattr(torch._C, "_is_cow_tensor")  # noqa: B009
    assert shared(given)
    given.mul_(2)
    assert not shared(given)


def test_what_has_one_value_in_many_places_becomes_a_copy() -> None:
    original = torch.rand(1, 1, 3).expand(4, 5, 3)
    given = given_out(original)
    given[0, 0, 0] = 9
    assert given[1].max() < 9
    assert original.max() < 9


def test_without_torchs_own_it_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch, "_lazy_clone")
    original = torch.rand(3, 4, 5)
    given = given_out(original)
    assert torch.equal(given, original)
    assert given.data_ptr() != original.data_ptr()
