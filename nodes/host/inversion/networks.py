"""Trainable copies of the diffusion model and of the text encoders, called as ComfyUI calls them.

The functions of forward_timestep_embed_patch are pairs of a block's class and
handler(block, x, emb, context, options, ...).

Host symbols:
    comfy.model_base.BaseModel: apply_model(x, t, *, transformer_options), extra_conds()
    comfy.model_base.BaseModel: "cross_attn", "noise", "device"
    comfy.model_base.sdxl_pooled: "pooled_output"
    comfy.model_base.SDXL: "width", "height"
    comfy.model_base.BaseModel: get_dtype_inference(), model_sampling, latent_format
    comfy.conds.CONDRegular: process_cond(*, batch_size), cond
    comfy.model_sampling.ModelSamplingDiscrete: sigma(timestep), sigmas
    comfy.model_sampling.EPS: noise_scaling(sigma, noise, latent_image)
    comfy.model_sampling.V_PREDICTION
    comfy.latent_formats.LatentFormat: latent_rgb_factors, latent_rgb_factors_bias
    comfy.ldm.modules.attention.SpatialTransformer: forward(x, context, transformer_options)
    comfy.ldm.modules.attention.attention_pytorch(q, k, v, heads)
    comfy.ldm.modules.attention: "optimized_attention_override"
    comfy.ldm.modules.diffusionmodules.openaimodel.ResBlock: forward(x, emb)
    comfy.ldm.modules.diffusionmodules.openaimodel: "forward_timestep_embed_patch"
    comfy.model_patcher.ModelPatcher: load_device
    comfy.sd.CLIP: patcher, layer_idx
    comfy.sd1_clip.SD1ClipModel: reset_clip_options(), set_clip_options(options)
    comfy.sd1_clip.SD1ClipModel: encode_token_weights(token_weight_pairs), "clip_{}"
    comfy.sd1_clip.SDClipModel: transformer, "layer", "execution_device"
    comfy.clip_model.CLIPTextModel: get_input_embeddings()
    comfy.clip_model.CLIPLayer: layer_norm1, layer_norm2
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from comfy.ldm.modules.attention import SpatialTransformer, attention_pytorch
from comfy.ldm.modules.diffusionmodules.openaimodel import ResBlock
from comfy.model_sampling import V_PREDICTION
from torch.utils.checkpoint import checkpoint

from .trainable_copy import trainable_copy

Conditioning = tuple[torch.Tensor, torch.Tensor | None]  # text features [1, T, width], pooled

# CLIPLayer adds in place to what these layers have read; their backward pass needs the old values.
_OVERWRITTEN = ("layer_norm1", "layer_norm2")


def _differentiable(_, *args, **kwargs):
    """Replaces the attention that ComfyUI was started with, which may have no backward pass."""
    return attention_pytorch(*args, **kwargs)


def _checkpointed(block, x, emb, context, options, *_):
    """Run a block without keeping activations; the backward pass computes them again."""
    given = (emb,) if isinstance(block, ResBlock) else (context, options)
    return checkpoint(block, x, *given, use_reentrant=False, preserve_rng_state=False)


CHECKPOINTED_BLOCKS = {
    "forward_timestep_embed_patch": [(ResBlock, _checkpointed), (SpatialTransformer, _checkpointed)]
}


class TrainableDenoiser:
    """A copy of a diffusion model; call it with x, sigma and conditioning, as in k-diffusion.

        denoiser = TrainableDenoiser(model, "LayerTextualInversion, input model")
        x = denoiser.noised(clean, denoiser.sigmas(fractions), noise)
        denoiser(x, sigma, (features, pooled))  # the predicted clean latent [B, C, h, w]

    checkpointing: gradients take a third of the memory and a third more time, and stay equal to
    the bit (Chen et al., arXiv 1604.06174).
    """

    def __init__(self, model, where: str) -> None:
        self.model: Any = trainable_copy(model, where)
        self.device = model.load_device
        self.half = self.model.get_dtype_inference() == torch.float16
        self.checkpointing = False

    @property
    def predicts_velocity(self) -> bool:
        return isinstance(self.model.model_sampling, V_PREDICTION)

    def sigmas(self, fractions: torch.Tensor) -> torch.Tensor:
        """The sigmas at these fractions of the noise schedule: 0 is the least noise, 1 the most."""
        last = len(self.model.model_sampling.sigmas) - 1
        return self.model.model_sampling.sigma(fractions.to(self.device) * last)

    def noised(self, clean: torch.Tensor, sigma: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return self.model.model_sampling.noise_scaling(sigma, noise, clean)

    def __call__(
        self, x: torch.Tensor, sigma: torch.Tensor, conditioning: Conditioning
    ) -> torch.Tensor:
        """x [B, C, h, w], sigma [B], conditioning of one prompt -> predicted clean latent."""
        features, pooled = conditioning
        conds = self.model.extra_conds(
            cross_attn=features.to(self.device),
            pooled_output=None if pooled is None else pooled.to(self.device),
            noise=x,
            width=x.shape[3] * 8,
            height=x.shape[2] * 8,
            prompt_type="positive",
            device=self.device,
        )
        given = {name: c.process_cond(batch_size=len(x)).cond for name, c in conds.items()}
        options = {"optimized_attention_override": _differentiable, "sigmas": sigma}
        options["patches"] = CHECKPOINTED_BLOCKS if self.checkpointing else {}
        return self.model.apply_model(x, sigma, transformer_options=options, **given)

    def preview_image(self, denoised: torch.Tensor) -> torch.Tensor:
        """Clean latents [B, C, h, w] -> a small IMAGE, in the colours of ComfyUI's previews."""
        latent_format = self.model.latent_format
        colours = denoised[:, :3]
        if latent_format.latent_rgb_factors is not None:
            factors = torch.tensor(latent_format.latent_rgb_factors).to(denoised)
            colours = torch.einsum("bchw,cr->brhw", denoised, factors)
        if latent_format.latent_rgb_factors_bias is not None:
            bias = torch.tensor(latent_format.latent_rgb_factors_bias).to(denoised)
            colours = colours + bias.view(1, 3, 1, 1)
        picture = F.interpolate((colours + 1) / 2, scale_factor=4.0, mode="bilinear")
        return picture.clamp(0, 1).movedim(1, -1).cpu()


class TrainableTextEncoder:
    """A copy of a CLIP's text encoders.

    text = TrainableTextEncoder(clip, "LayerTextualInversion, input clip")
    features, pooled = text.encode({"l": [[(49406, 1.0), (vector, 1.0), ...]]})
    """

    def __init__(self, clip, where: str) -> None:
        self.model: Any = trainable_copy(clip.patcher, where)
        for name, module in self.model.named_modules():
            if name.endswith(_OVERWRITTEN):
                module.register_forward_pre_hook(_copy_input)
        self.device, self.layer_idx = clip.patcher.load_device, clip.layer_idx

    def encode(self, tokens: dict) -> Conditioning:
        """As CLIP.encode_from_tokens; gradients reach the vectors among the tokens."""
        self.model.reset_clip_options()
        if self.layer_idx is not None:
            self.model.set_clip_options({"layer": self.layer_idx})
        self.model.set_clip_options({"execution_device": self.device})
        features, pooled = self.model.encode_token_weights(tokens)[:2]
        return features, pooled

    def table(self, encoder: str) -> torch.Tensor:
        """The word vectors [49408, width] of one encoder."""
        return getattr(self.model, f"clip_{encoder}").transformer.get_input_embeddings().weight


def _copy_input(_, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    return (args[0].clone(),)
