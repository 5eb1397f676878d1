"""The words of a layer as the text encoder reads them under its LoRAs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing import assert_close

FOX, BEAR = (2, 3), (6, 7)  # tokens of the prompt
TOLERANCE: dict[str, Any] = {"atol": 1e-5, "rtol": 1e-4}


@pytest.fixture
def text_lora(clip, lora):
    """A LoRA of the text encoder alone."""

    def make(name: str, seed: int = 0):
        clip_l = clip.cond_stage_model.get_submodule("clip_l.transformer.text_model.encoder")
        prefix = "text_encoder.text_model.encoder."
        return lora(name, clip_l, seed=seed, prefix=prefix)

    return make


def test_all_words_are_those_of_load_lora(model, text_lora, whole, patch, loader, encode) -> None:
    tensors = text_lora("a")
    _, positive, report, negative = patch(whole(("a", 0.0, 0.8)), negative="bad")
    _, changed = loader(model, tensors, 0.0, 0.8)
    ((found, options),), ((wanted, more),) = positive, encode(clip=changed)
    assert (wanted - encode()[0][0]).abs().max() > 0.05
    assert_close(found, wanted, **TOLERANCE)
    assert_close(options["pooled_output"], more["pooled_output"], **TOLERANCE)
    ((found, _),), ((wanted, _),) = negative, encode("bad", clip=changed)
    assert_close(found, wanted, **TOLERANCE)
    assert "0.8 in 12 weights of the text encoder" in report


def test_strength_zero_leaves_the_words_to_the_bit(text_lora, whole, patch, encode) -> None:
    text_lora("a")
    _, positive, *_ = patch(whole(("a", 1.0, 0.0)))
    assert torch.equal(positive[0][0], encode()[0][0])


def test_each_layers_words_are_read_under_its_own(
    model, text_lora, make_collage, give, with_layers, patch, loader, encode
) -> None:
    tensors = [text_lora(name, seed) for seed, name in enumerate("ab")]
    collage = make_collage(("red fox", 0.0, 0.25), ("blue bear", 0.5, 1.0))
    fox, bear = collage.layers
    both = give(give(bear, "b", 0.0, 0.7), "a", 0.0, 0.2)
    _, positive, *_ = patch(with_layers(collage, give(fox, "a", 0.0, 0.5), both))
    _, of_fox = loader(model, tensors[0], 0.0, 0.5)
    _, of_bear = loader(model, tensors[1], 0.0, 0.7)
    _, of_bear = loader(model, tensors[0], 0.0, 0.2, clip=of_bear)
    plain, (fox_read, _), (bear_read, _) = (
        encode(clip=c)[0] if c else encode()[0] for c in (None, of_fox, of_bear)
    )
    plain, found = plain[0], positive[0][0]
    assert_close(found[:, FOX], fox_read[:, FOX], **TOLERANCE)
    assert_close(found[:, BEAR], bear_read[:, BEAR], **TOLERANCE)
    rest = [n for n in range(found.shape[1]) if n not in FOX + BEAR]
    wanted = 0.25 * plain + 0.25 * fox_read + 0.5 * bear_read  # as much as they show
    assert_close(found[:, rest], wanted[:, rest], **TOLERANCE)
