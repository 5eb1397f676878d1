"""The state of a training survives as bytes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from collage_core.storage.tensor_file import pack_state, unpack_state

GENERATOR = torch.Generator().manual_seed(3)
STATE: dict[str, Any] = {
    "step": 40,
    "loss": 0.1 + 0.2,
    "best": float("inf"),
    "phrase": "teddy bear, é",
    "done": False,
    "nothing": None,
    "vectors": {"l": torch.randn(2, 768), "g": torch.randn(2, 1280)},
    "curve": [0.5, 0.25],
    "moments": [torch.randn(3, dtype=torch.float64), torch.tensor(2.5), torch.zeros(0, 4)],
    "half": torch.randn(3).bfloat16(),
    "mask": torch.tensor([True, False]),
    "random": GENERATOR.get_state(),
}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        assert_close(a, b, rtol=0, atol=0)
        return True
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b and type(a) is type(b)


def test_everything_comes_back_to_the_bit():
    assert same(STATE, unpack_state(pack_state(STATE, "key"), "key"))


def test_a_generator_goes_on_where_it_was():
    kept = unpack_state(pack_state({"random": GENERATOR.get_state()}, "key"), "key")
    other = torch.Generator()
    other.set_state(kept["random"])
    assert_close(torch.rand(5, generator=other), torch.rand(5, generator=GENERATOR))


def test_tensors_restored_inside_a_node_can_be_changed_outside():
    with torch.inference_mode():
        kept = unpack_state(pack_state(STATE, "key"), "key")
    kept["vectors"]["l"].requires_grad_().mul(2).sum().backward()


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
def test_a_damaged_state_is_refused(cut: int):
    with pytest.raises(ValueError, match=r"is (not|incomplete)"):
        unpack_state(pack_state(STATE, "key")[:cut], "key")


def test_the_state_of_another_training_is_refused():
    with pytest.raises(ValueError, match="is of another training"):
        unpack_state(pack_state(STATE, "key"), "other")


def test_what_is_not_plain_is_no_state():
    with pytest.raises(TypeError):
        pack_state({"model": object()}, "key")
