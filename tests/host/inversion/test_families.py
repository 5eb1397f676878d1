"""SD2.x and SDXL learn as SD1.x does, and so do weights of half and quarter precision."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file


@pytest.fixture
def make_clip(tiny):
    """A CLIP of another family: its tokenizer, its class and its tiny encoders."""
    import comfy.sd
    import comfy.supported_models_base

    def make(tokenizer, cls, *encoders: str):
        config = {**tiny.CLIP_TEXT, "num_hidden_layers": 3}  # the last but one is read
        clip = comfy.sd.CLIP(
            comfy.supported_models_base.ClipTarget(tokenizer, cls),
            model_options={
                **{f"clip_{encoder}_model_config": config for encoder in encoders},
                "dtype": torch.float32,
            },
        )
        tiny.randomize(clip.cond_stage_model, 3)
        return clip

    return make


@pytest.fixture
def sd2_clip(make_clip):
    from comfy.text_encoders.sd2_clip import SD2ClipModel, SD2Tokenizer

    return make_clip(SD2Tokenizer, SD2ClipModel, "h")


@pytest.mark.parametrize("preset", ["default", "paper"])
@pytest.mark.parametrize("kind", ["EPS", "V_PREDICTION"])
def test_sd2_learns_with_its_own_encoder(
    execute, make_model, sd2_clip, folder: Path, settings, part, monkeypatch, kind, preset
):
    model = make_model("SD20", kind=kind, use_linear_in_transformer=True)
    short = settings(preset, steps=2, rates=(0.2, 0.2), evaluate_every=2)
    monkeypatch.setattr(part("nodes.inversion"), "preset_settings", lambda *_: short)
    layer, word, _, report = execute(model=model, clip=sd2_clip)
    vectors = layer.embedding.vectors["h"]
    assert vectors.shape == (short.vectors[0], 64)
    assert math.isfinite(float(report.split("loss ")[1].split(",")[0]))
    file = load_file(folder / f"{layer.embedding.name}.safetensors")
    assert list(file) == ["emb_params"]
    assert torch.equal(file["emb_params"], vectors)
    own = sd2_clip.tokenizer.clip_h
    own.embedding_directory = [str(folder)]
    tokens = sd2_clip.tokenize(f"a photo of {word} teddy bear")["h"][0]
    found = [token for token, _ in tokens if isinstance(token, torch.Tensor)]
    assert torch.equal(torch.stack(found), vectors)


def test_sd2_takes_no_encoder_of_sd1(pack, execute, make_model, clip):
    model = make_model("SD20", context_dim=96, use_linear_in_transformer=True)
    with pytest.raises(pack.collage_core.errors.CollageError, match="the model takes 96"):
        execute(model=model, clip=clip)


@pytest.fixture
def sdxl(make_clip, make_model):
    import comfy.model_base
    import comfy.sdxl_clip

    clip = make_clip(comfy.sdxl_clip.SDXLTokenizer, comfy.sdxl_clip.SDXLClipModel, "l", "g")
    model = make_model(
        "SDXL", cls=comfy.model_base.SDXL, adm_in_channels=64 + 6 * 256, num_classes="sequential",
        context_dim=128, transformer_depth=[0, 2], transformer_depth_middle=3,
        transformer_depth_output=[0, 0, 2, 2], use_linear_in_transformer=True,
    )  # fmt: skip
    return {"model": model, "clip": clip}


def test_sdxl_learns_for_both_encoders_at_once(sdxl, trainer, settings):
    one = trainer(**sdxl, settings=settings(steps=2))
    start = one.vectors()
    assert {name: tuple(value.shape) for name, value in start.items()} == {
        "g": (4, 64), "l": (4, 64),
    }  # fmt: skip
    with torch.inference_mode(False):
        _, found = one.layer_loss.gradient(one.start, 0)
    one.step()
    for name in "lg":
        assert found[name].abs().max() > 0
        assert not torch.allclose(one.optimizer.vectors[name], start[name], atol=1e-3)


def test_the_gradient_of_sdxl_is_that_of_one_whole_graph(sdxl, part, trainer, settings):
    """Through the features of both encoders and the pooled ones."""
    one = trainer(**sdxl, settings=settings(steps=2))
    losses = one.layer_loss
    with torch.inference_mode(False):
        loss, found = losses.gradient(one.start, 0)
    with part("nodes.host.inversion.trainable_copy").gradients():
        leaves = {name: value.clone().requires_grad_() for name, value in one.start.items()}
        fill = part("nodes.host.models.embeddings_in_memory").fill_placeholders
        text = losses.text.encode(fill(losses.prompts.drawn(0), leaves))
        batch = losses.pictures.drawn(0)
        x = losses.denoiser.noised(batch.clean, batch.sigma, batch.noise)
        denoised = losses.denoiser(x, batch.sigma, text)
        masked_loss = part("collage_core.inversion.loss").masked_loss
        each = masked_loss(denoised, batch.clean, batch.mask, batch.sigma, "min_snr")
        whole = each.sum() / len(batch.sigma)
        whole.backward()
    assert loss == whole.item()
    torch.testing.assert_close(found, {n: leaf.grad for n, leaf in leaves.items()}, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_weights_of_less_precision_give_nearly_the_same_gradient(tiny, trainer, settings, dtype):
    """Half weights are computed in half, as on a GPU, where they are inference tensors too."""
    short = settings(steps=1)
    model, clip = tiny.tiny_model(), tiny.tiny_clip()
    unet = model.model.diffusion_model
    for parameter in unet.parameters():
        parameter.data = parameter.data.to(dtype)
    if dtype.itemsize == 2:
        unet.dtype = dtype
        clip.cond_stage_model.to(dtype)
    else:  # as the loader's fp8 does it
        model.set_model_compute_dtype(torch.float32)
    assert all(parameter.is_inference() for parameter in unet.parameters())
    one, whole = trainer(model=model, clip=clip, settings=short), trainer(settings=short)
    found = []
    for losses in (one.layer_loss, whole.layer_loss):
        with torch.inference_mode(False):
            loss, gradient = losses.gradient(whole.start, 0)
        assert math.isfinite(loss)
        found.append(gradient["l"].flatten())
    assert torch.cosine_similarity(*found, dim=0) > (0.98 if dtype.itemsize == 2 else 0.7)
