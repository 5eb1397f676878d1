"""What cannot be learned with is refused in one sentence, before any training."""

from __future__ import annotations

import pytest
import torch


def inpainting(model):
    model.model.set_inpaint()
    return model


def quantised(patcher, kind: str) -> None:
    """Give the first layer of this kind whole numbers for weights."""
    layer = next(m for m in patcher.model.modules() if type(m).__name__ == kind)
    integers = torch.ones(3, 3, dtype=torch.int8)
    layer.weight = torch.nn.Parameter(integers, requires_grad=False)


def with_nan(vae):
    next(vae.first_stage_model.parameters()).fill_(torch.nan)
    return vae


def with_words_of(clip, tokenizer):
    other = clip.clone()
    other.tokenizer = tokenizer
    return other


def refiner_tokenizer():
    import comfy.sd1_clip
    import comfy.sdxl_clip

    return comfy.sd1_clip.SD1Tokenizer(clip_name="g", tokenizer=comfy.sdxl_clip.SDXLClipGTokenizer)


@pytest.fixture
def odd(tiny, clip, make_layer, monkeypatch):
    """Inputs with one thing wrong, by what that is."""
    import comfy.text_encoders.sd3_clip

    t5 = comfy.text_encoders.sd3_clip.SD3Tokenizer
    model, vae, integers = tiny.tiny_model(), tiny.tiny_vae(), tiny.tiny_clip()
    wide = {**tiny.UNET, "context_dim": 96}
    monkeypatch.setattr(tiny, "UNET", wide)
    return {
        "wide": tiny.tiny_model,
        "qwen": tiny.tiny_qwen_image,
        "inpainting": lambda: inpainting(model),
        "int8 model": lambda: quantised(model, "Conv2d") or model,
        "int8 clip": lambda: quantised(integers.patcher, "Linear") or integers,
        "t5": lambda: with_words_of(clip, t5()),
        "refiner": lambda: with_words_of(clip, refiner_tokenizer()),
        "deep": lambda: tiny.tiny_vae(latent_channels=16),
        "nan": lambda: with_nan(vae),
        "?!": lambda: make_layer("?!"),
        "empty": lambda: make_layer(alpha=torch.zeros(1, 40, 48)),
        "one cell": lambda: make_layer(alpha=torch.ones(1, 40, 48).tril(-30)),
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("clip", None, "input clip: nothing arrived"),
        ("vae", None, "input vae: nothing arrived"),
        ("seed", -1, "input seed: -1"),
        ("model", "wide", "input clip: it gives 64 numbers per token, and the model takes 96"),
        (
            "model",
            "qwen",
            "input model: QwenImage is not supported; .* low noise, or, .* CollageEmbeddingLoad",
        ),
        ("model", "inpainting", "input model: .* as inpainting and editing models"),
        ("model", "int8 model", "input model: its weights are quantised .*int8.* Load the fp16"),
        ("clip", "int8 clip", "input clip: its weights are quantised .*int8.* Load the fp16"),
        ("clip", "t5", "input clip: a text encoder of g, l, t5xxl is not one of"),
        ("clip", "refiner", "input clip: a text encoder of g is not one of"),
        ("vae", "deep", "input vae: it makes latents of 16 channels"),
        ("vae", "nan", "input vae: the encoded layer holds NaN .* fp16-fix"),
        ("layer", "?!", 'layer "[?]!", input layer: its text names no thing'),
        ("layer", "empty", 'layer "teddy bear", input layer: nothing of it can be seen'),
        ("layer", "one cell", 'layer "teddy bear", input layer: .* 10 x 10 pixels'),
    ],
)
def test_refused_by_name(pack, execute, count_steps, odd, name, value, message):
    given = odd[value]() if value in odd else value
    with pytest.raises(
        pack.collage_core.errors.CollageError, match=f"LayerTextualInversion, {message}"
    ):
        execute(**{name: given})
    assert count_steps["steps"] == 0
