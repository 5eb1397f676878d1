"""Kept cells for samplers that also look at the guess without words: those of CFG++.

The host puts the original into the guess that guidance ended in, not into the two it came from. A
CFG++ sampler takes its direction from the one without words, so under the host's mask alone a kept
cell drifts off, and is a wrong start on the step that sets it free.

The model is called with denoise_mask and model_options; sampler_pre_cfg_function is a list of
functions of {"conds_out": guesses, "sigma": [B], ...}.

Host symbols:
    comfy.samplers.KSamplerX0Inpaint: inner_model, sigmas
    comfy.samplers.KSamplerX0Inpaint: __call__(x, sigma, denoise_mask, model_options, seed)
    comfy.samplers.KSamplerX0Inpaint: "denoise_mask_function", "latent_image"
    comfy.samplers.sampling_function: "sampler_pre_cfg_function", "conds_out", "sigma"
    comfy.samplers.KSAMPLER: "denoise_mask"
    comfy.samplers.CFGGuider: "model_options"
"""

from __future__ import annotations

from typing import Any

SUFFIX = "_cfg_pp"


def keep_every_guess(model, extra_args: dict[str, Any]) -> dict[str, Any]:
    """A sampler's `extra_args`, with the original in the kept cells of every guess.

    `model` is the KSamplerX0Inpaint that the sampler calls.
    """
    options, mask = extra_args["model_options"], extra_args["denoise_mask"]
    if mask is None:
        return extra_args
    changing = options.get("denoise_mask_function", lambda _sigma, same, **_: same)
    seen = {"model": model.inner_model, "sigmas": model.sigmas}

    def pre_cfg_function(args):
        free = changing(args["sigma"], mask, extra_options=seen)
        kept = model.latent_image * (1 - free)
        return [guess * free + kept for guess in args["conds_out"]]

    before = options.get("sampler_pre_cfg_function", [])
    options = {**options, "sampler_pre_cfg_function": [*before, pre_cfg_function]}
    return {**extra_args, "model_options": options}
