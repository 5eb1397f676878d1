"""SD1.x, SD2.x and SDXL in their variants and precisions."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

CLIP_G = {"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 4,
          "num_hidden_layers": 3, "projection_dim": 1280}  # fmt: skip


def assert_as_in_the_paper(paper, spy, collage) -> None:
    assert spy.calls
    for call in spy.calls:
        assert call["blocks"]
        for block in call["blocks"]:
            masks, _ = paper.masks_of(block, collage)
            for row, number in enumerate(call["rows"]):
                f = 0.0 if number else paper.factor(call["sigma"])
                wanted = paper.attention(block, row, masks, collage, f)
                assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)


@pytest.fixture(scope="session")
def sdxl_clip(tiny):
    """The two real tokenizers of SDXL before tiny text encoders."""
    import comfy.sd
    import comfy.sdxl_clip
    import comfy.supported_models_base

    clip = comfy.sd.CLIP(
        comfy.supported_models_base.ClipTarget(
            comfy.sdxl_clip.SDXLTokenizer, comfy.sdxl_clip.SDXLClipModel
        ),
        model_options={
            "clip_l_model_config": {**tiny.CLIP_TEXT, "num_hidden_layers": 3},
            "clip_g_model_config": CLIP_G,
            "dtype": torch.float32,
        },
    )
    tiny.randomize(clip.cond_stage_model, 1)
    return clip


@pytest.mark.parametrize("kind", ["EPS", "V_PREDICTION"])
def test_sd2(paper, make_model, make_collage, patch, sample, spy, kind) -> None:
    sd2 = make_model("SD20", kind=kind, use_linear_in_transformer=True)
    collage = make_collage()
    patched, positive, _ = patch(collage, model=sd2)
    assert sample(spy.follow(patched), positive).isfinite().all()
    assert_as_in_the_paper(paper, spy, collage)


def test_sdxl(paper, make_model, make_collage, patch, sample, spy, sdxl_clip) -> None:
    """Several transformer blocks in one block of the UNet, and two text encoders."""
    import comfy.model_base

    sdxl = make_model(
        "SDXL", cls=comfy.model_base.SDXL, adm_in_channels=1600, num_classes="sequential",
        context_dim=128, transformer_depth=[0, 2], transformer_depth_middle=3,
        transformer_depth_output=[0, 0, 2, 2], use_linear_in_transformer=True,
    )  # fmt: skip
    collage = make_collage()
    patched, positive, _ = patch(collage, model=sdxl, clip=sdxl_clip)
    negative = sdxl_clip.encode_from_tokens_scheduled(sdxl_clip.tokenize("bad"))
    sample(spy.follow(patched), positive, negative=negative)
    assert [len(call["blocks"]) for call in spy.calls] == [9, 9]
    assert_as_in_the_paper(paper, spy, collage)


def test_inpainting_variant(paper, make_model, make_collage, patch, sample, spy) -> None:
    inpainting = make_model(in_channels=9)
    inpainting.model.set_inpaint()
    collage = make_collage()
    patched, positive, _ = patch(collage, model=inpainting)
    sample(spy.follow(patched), positive)
    assert_as_in_the_paper(paper, spy, collage)


def test_turbo_in_one_step(paper, make_collage, patch, sample, spy) -> None:
    collage = make_collage()
    patched, positive, _ = patch(collage)
    inputs = {"steps": 1, "cfg": 1.0, "sampler_name": "euler_ancestral", "scheduler": "sgm_uniform"}
    assert sample(spy.follow(patched), positive, **inputs).isfinite().all()
    assert [call["rows"] for call in spy.calls] == [[0]]
    assert_as_in_the_paper(paper, spy, collage)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_finite(make_model, make_collage, patch, sample, dtype) -> None:
    half = make_model(dtype=dtype)
    patched, positive, _ = patch(
        make_collage(attract=10.0, repel=10.0), model=half, schedule="constant", strength=10.0
    )
    assert half.model.get_dtype_inference() == dtype
    assert sample(patched, positive).isfinite().all()
