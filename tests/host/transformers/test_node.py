"""MaskedCrossAttentionPatch from the prompt to the sampled picture, family by family."""

from __future__ import annotations

import pytest
import torch

PROMPT = "a shiny red fox and a (blue bear:1.2) on a table"
SIZE = (16, 12)  # rows and columns of the latent
# the CLIP of each tiny transformer, and the shapes that make both fit
FAMILIES = {
    "flux": ("flux", {}), "flux2": ("klein", {"context_in_dim": 192}), "chroma": ("chroma", {}),
    "sd3": ("sd3", {"adm_in_channels": 64}), "qwen_image": ("qwen_image", {}),
    "zimage": ("zimage", {}), "anima": ("anima", {}), "aura_flow": ("aura_flow", {}),
    "cosmos_predict2": ("cosmos_predict2", {}), "ltxv": ("ltxv", {}),
    "hunyuan_image": ("hunyuan_image", {}), "omnigen2": ("omnigen2", {}),
    "kandinsky5": ("kandinsky5", {"in_text_dim2": 32}), "krea2": ("krea2", {"txtlayers": 12}),
    "joyimage": ("joyimage", {}),
}  # fmt: skip
IDLE = {"flux2", "qwen_image", "zimage", "hunyuan_image", "kandinsky5", "krea2", "joyimage"}


def spied(model, calls: list):
    """A clone that notes the text and the attention of every model call with a bias."""
    from comfy.patcher_extension import WrappersMP

    def note(executor, x, t, c_concat=None, c_crossattn=None, control=None,
             transformer_options=None, **extras):  # fmt: skip
        assert c_crossattn is not None
        assert transformer_options is not None
        joint = transformer_options.get("optimized_attention_override")
        if joint is not None:
            (bias,) = (bias for bias in joint.biases if bias is not None)
            row = [bias is not None for bias in joint.biases].index(True)
            places = bias.columns.tokens - joint.layout.first_token
            calls.append((c_crossattn[row, places], places))
        return executor(x, t, c_concat, c_crossattn, control, transformer_options, **extras)

    clone = model.clone()
    clone.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "spy", note)
    return clone


@pytest.mark.parametrize("family", FAMILIES)
def test_words_of_the_prompt_act_in_the_picture(
    transformers, clips, make_collage, patch, host_ksampler, family: str
) -> None:
    kind, shapes = FAMILIES[family]
    model, clip = transformers.tiny_transformer(family, **shapes), clips(kind)
    collage = make_collage(PROMPT)
    patched, positive, report = patch(model=model, clip=clip, collage=collage)
    negative = clip.encode_from_tokens_scheduled(clip.tokenize("bad"))
    latent = {"samples": 0 * transformers.latents(family, *SIZE)}
    calls: list = []

    def sampled(model, positive):
        return host_ksampler(model, positive, negative, latent=latent, scheduler="simple")

    steered = sampled(spied(patched, calls), positive)
    assert steered.isfinite().all()
    regions = positive[0][1]["collage_words"].bias.regions
    tokens = [token for region in regions for token in region.tokens]
    assert len(calls) >= 2
    for found, places in calls:
        if family == "anima":  # the model makes features of T5's tokens
            assert places.tolist() == tokens
        else:
            assert torch.equal(found, positive[0][0][0, tokens])
    plain = clip.encode_from_tokens_scheduled(clip.tokenize(PROMPT))
    zero, unmoved, _ = patch(model=model, clip=clip, collage=collage, strength=0.0)
    assert torch.equal(sampled(zero, unmoved), sampled(model, plain))
    assert not torch.equal(steered, sampled(model, plain))
    fox, bear = (line for line in report.splitlines() if line[:1] in ("1", "2") and '"' in line)
    assert " red, " in fox
    assert fox.partition("; covers")[0].endswith("x")
    assert bear.partition("; covers")[0].endswith(" bear")
    assert ("! Weights do nothing here" in report) == (family in IDLE)


def test_chinese_is_no_foreign_language_to_qwen(pack, transformers, clips, make_collage, patch):
    prompt = "一只红色的狐狸坐在一张很大的木头桌子上 and a blue bear"
    texts = ("红色的狐狸坐在一张很大的木头桌子上", "blue bear")
    inputs = {"clip": clips("zimage"), "collage": make_collage(prompt, texts)}
    _, _, report = patch(model=transformers.tiny_transformer("zimage"), **inputs)
    assert "7 tokens" not in report
    assert "the text encoder reads English" not in report
    core = pack.collage_core.attention
    (line,) = [line for line in report.splitlines() if line.startswith("1 ")]
    assert line.count(",") > core.report.FEW_TOKENS


@pytest.mark.parametrize("family", ["flux", "chroma", "zimage", "sd3"])
def test_through_the_sampler_of_the_pack(
    pack, tiny, transformers, clips, make_collage, patch, family: str
) -> None:
    kind, shapes = FAMILIES[family]
    model, clip = transformers.tiny_transformer(family, **shapes), clips(kind)
    collage = make_collage(PROMPT)
    patched, positive, _ = patch(model=model, clip=clip, collage=collage)
    negative = clip.encode_from_tokens_scheduled(clip.tokenize("bad"))
    inputs = {
        "collage": collage, "vae": tiny.tiny_vae(latent_channels=16), "negative": negative,
        "seed": 5, "steps": 2, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple",
        "base_noise": 0.8, "feather": 0.0,
    }  # fmt: skip
    node = pack.nodes.sampling.PerLayerNoiseKSampler
    plain = clip.encode_from_tokens_scheduled(clip.tokenize(PROMPT))
    steered, *_ = node.execute(model=patched, positive=positive, **inputs).args
    unmoved, *_ = node.execute(model=model, positive=plain, **inputs).args
    assert steered["samples"].isfinite().all()
    assert not torch.equal(steered["samples"], unmoved["samples"])
