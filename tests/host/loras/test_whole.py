"""A layer that covers the canvas and has all the words: ComfyUI's Load LoRA, to float precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing import assert_close

TOLERANCE: dict[str, Any] = {"atol": 2e-4, "rtol": 1e-3}


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr"])
def test_every_kind_of_adapter_on_every_module_of_a_unet(
    model, lora, whole, patch, loader, sample, encode, kind: str
) -> None:
    tensors = lora("own", model.model.diffusion_model, kind=kind)
    patched, positive, report, _ = patch(whole(("own", 0.7)))
    loaded, _ = loader(model, tensors, 0.7)
    wanted, plain = sample(loaded, encode()), sample(model, encode())
    assert (wanted - plain).abs().max() > 0.05
    assert_close(sample(patched, positive), wanted, **TOLERANCE)
    assert 'LoRA "own.safetensors": 0.7 in' in report


def test_strength_zero_is_the_unpatched_model_to_the_bit(
    model, lora, whole, patch, sample, encode
) -> None:
    lora("own", model.model.diffusion_model)
    patched, positive, report, _ = patch(whole(("own", 0.0)))
    assert torch.equal(sample(patched, positive), sample(model, encode()))
    assert "both strengths are 0" in report
