"""Replaying a finished picture through a patched model to see where its words act.

A replay needs only the result of a sampling, which may come from ComfyUI's cache.

ComfyUI's own layers end an interrupted replay.

Host symbols:
    comfy.model_patcher.ModelPatcher: clone(), get_attachment(key), set_model_patch(patch, name)
    comfy.model_patcher.ModelPatcher: get_model_object(name), model
    comfy.model_patcher.ModelPatcher: remove_wrappers_with_key(wrapper_type, key)
    comfy.patcher_extension.WrappersMP: APPLY_MODEL
    comfy_api.torch_helpers.torch_compile: COMPILE_KEY
    comfy.model_base.BaseModel: diffusion_model
    comfy.ldm.modules.diffusionmodules.openaimodel.UNetModel: __class__
    comfy.samplers.Sampler: sample
    comfy.samplers.CFGGuider(model_patcher): inner_set_conds(conds), conds, inner_model
    comfy.samplers.CFGGuider: sample(noise, latent_image, sampler, sigmas, *, callback, seed)
    comfy.samplers.KSAMPLER: sample(model_wrap, sigmas, extra_args, callback, noise, latent_image)
    comfy.samplers.calc_cond_batch(model, conds, x_in, timestep, model_options)
    comfy.samplers.calculate_sigmas(model_sampling, scheduler_name, steps)
    comfy.model_sampling.EPS: noise_scaling(sigma, noise, latent_image)
    comfy.sample.prepare_noise(latent_image, seed, noise_inds)
    comfy.utils.ProgressBar(total): update_absolute(value)
    nodes.common_ksampler: "samples", "batch_index"
"""

from __future__ import annotations

import comfy.sample
import comfy.samplers
import comfy.utils
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.patcher_extension import WrappersMP
from comfy_api.torch_helpers.torch_compile import COMPILE_KEY

from ....collage_core.attention.bias import AttentionBias
from ....collage_core.attention.maps import AttentionSum
from ....collage_core.collage.collage import Collage
from ....collage_core.collage.same_collage import difference
from ....collage_core.errors import CollageError
from ..models.families import block_keys, text_width
from ..models.latents import latent_shape
from ..models.made_of import another_collage, check_box
from ..models.transformers import is_transformer, layout_of
from .conditioning import KEY
from .conditioning import NODE as PATCH
from .patch import is_patched

NODE = "CollageAttentionMap"


def attached_conditioning(model, collage: Collage) -> tuple[list, AttentionBias]:
    """The CONDITIONING and bias that the MODEL was patched for; CollageError unless they fit."""
    text_width(model, NODE)
    positive = model.get_attachment(KEY)
    if not is_patched(model) or not positive:
        raise CollageError(
            f"{NODE}, input model: {type(model.model).__name__} does not come from "
            "MaskedCrossAttentionPatch. Connect the MODEL output of that node, the one the "
            "picture was sampled with."
        )
    asked = positive[0][1][KEY]
    if told := difference(collage, asked.collage, words=True):
        raise another_collage(NODE, told, PATCH)
    check_box(f"{NODE}, input model", asked.box, None, PATCH)
    if not asked.bias.regions:
        raise CollageError(
            f"{NODE}, input collage: none of its {len(collage.layers)} layers is shown, so there "
            "are no words to follow. Switch a layer to visible."
        )
    return positive, asked.bias


def check_latent(model, collage: Collage, latent: dict) -> None:
    """CollageError unless this is a finished picture of the collage's size."""
    samples = latent["samples"]
    wanted = latent_shape(model, collage.height, collage.width)
    problem = ""
    if samples.is_nested or list(samples.shape[1:]) != wanted:
        found = "of several parts" if samples.is_nested else f"of shape {list(samples.shape)}"
        problem = f"a latent {found} is not [batch, {', '.join(map(str, wanted))}], as the model "
        problem += "and this canvas need it"
    elif not samples.any():
        problem = "it is empty, so nothing was sampled yet"
    if problem:
        raise CollageError(
            f"{NODE}, input latent: {problem}. Connect the latent that the sampler made of this "
            "collage."
        )


def replay(model, positive: list, latent: dict, levels: int, seed: int) -> torch.Tensor:
    """Mean attention of every region of `positive`: [B, R, h, w] in latent cells, on the CPU.

    The schedule is cut into `levels` equal parts. The model predicts the LATENT with the noise of
    the middle of each part, with `positive` alone.
    """
    samples = latent["samples"]
    recorder = AttentionSum(tuple(samples.shape[-2:]))
    probed = model.clone()
    probed.set_model_patch(recorder, KEY)
    # a compiled graph cannot fill the recorder, and so few calls are not worth compiling
    probed.remove_wrappers_with_key(WrappersMP.APPLY_MODEL, COMPILE_KEY)
    guider = comfy.samplers.CFGGuider(probed)
    guider.inner_set_conds({"positive": positive})
    model_sampling = probed.get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(model_sampling, "normal", 2 * levels + 1)
    progress, taken = comfy.utils.ProgressBar(levels), _Replay(recorder)
    guider.sample(
        comfy.sample.prepare_noise(samples, seed, latent.get("batch_index")),
        samples,
        taken,
        sigmas[1 : 2 * levels : 2],
        callback=lambda step, *_: progress.update_absolute(step + 1),
        seed=seed,
    )
    expected = levels * max(1, *taken.calls)
    if isinstance(network := probed.model.diffusion_model, UNetModel):
        expected = levels * len([*block_keys(network)])
    if recorder.calls < expected:
        raise CollageError(
            f"{NODE}, input model: {recorder.calls} of {expected} calls of its attention arrived, "
            "so another patch skips parts of the model, and the map would not show all of it. "
            "Take it out."
        )
    attention = recorder.mean()
    if not attention.isfinite().all():
        raise CollageError(
            f"{NODE}, input model: {recorder.calls} calls of its attention gave no finite numbers. "
            "Check its precision."
        )
    return attention


def is_joint(model, positive: list, latent: dict) -> bool:
    """Whether a cell of the MODEL attends to other cells and to words at once."""
    network, tokens = model.model.diffusion_model, positive[0][0].shape[1]
    return is_transformer(network) and layout_of(network, latent["samples"], tokens, {}).joint


class _Replay(comfy.samplers.Sampler):
    """Asks the model for predictions of one picture at falling noise levels, and takes no step.

    The positive runs alone, without guidance: patches of other packs that act after guidance may
    call the model again with other pictures.

    calls: of attention with words, for each level. A transformer that another patch does not change
    has as many at every level.
    """

    def __init__(self, recorder: AttentionSum) -> None:
        self.recorder = recorder
        self.calls: list[int] = []

    def sample(self, guider, sigmas, extra_args, callback, noise, latent_image, *_):
        model, conds = guider.inner_model, [guider.conds["positive"]]
        for step, sigma in enumerate(sigmas):
            x = model.model_sampling.noise_scaling(sigma, noise, latent_image)
            level, options = sigma.expand(len(x)), extra_args["model_options"]
            before = self.recorder.calls
            (denoised,) = comfy.samplers.calc_cond_batch(model, conds, x, level, options)
            self.calls.append(self.recorder.calls - before)
            callback(step, denoised, x, len(sigmas))
        return latent_image
