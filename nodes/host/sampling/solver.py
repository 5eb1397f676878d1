"""The host's samplers with other noise, and kept cells that stay kept under every sampler.

A sampler function is called as (model, x, sigmas, extra_args, callback, disable, **extra_options),
`model` being a KSamplerX0Inpaint, which shows its model `latent_image` under `noise` where the
denoise mask is 0. noise_sampler is called as (sigma, sigma_next). sampler_pre_cfg_function is a
list of functions of {"conds_out": predictions, "sigma": [B], ...}.

Host symbols:
    comfy.samplers.sampler_object(name)
    comfy.samplers.KSAMPLER(sampler_function, extra_options, inpaint_options): sampler_function
    comfy.samplers.KSAMPLER: extra_options, inpaint_options, "extra_args", "callback", "disable"
    comfy.samplers.KSAMPLER: "noise", "latent_image", "denoise_mask"
    comfy.samplers.KSamplerX0Inpaint(model, sigmas): inner_model, sigmas, "noise", "latent_image"
    comfy.samplers.KSamplerX0Inpaint: __call__(x, sigma, denoise_mask, model_options, seed)
    comfy.samplers.sampling_function: "sampler_pre_cfg_function", "conds_out", "sigma"
    comfy.samplers.CFGGuider: "model_options"
    comfy.sample.prepare_noise_inner(latent_image, generator, noise_inds)
    comfy.k_diffusion.sampling.default_noise_sampler(x, *, seed)
    comfy.k_diffusion.sampling.BrownianTreeNoiseSampler(x, sigma_min, sigma_max, *, seed, cpu)
    comfy.k_diffusion.sampling.BrownianTreeNoiseSampler: __call__(sigma, sigma_next)
    comfy.k_diffusion.sampling: "noise_sampler"
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any

import comfy.k_diffusion.sampling
import comfy.sample
import comfy.samplers
import torch

from ....collage_core.noise.seeds import NoiseSeeds, seed_at
from ..models.latents import NODE
from .kept_cells import KeptUnderNoise, changing
from .partial_run import Start, resumed_state

CFG_PP = "_cfg_pp"  # ends the name of a sampler that also uses the unconditional prediction
# How the host's samplers draw the noise of their steps: along a Brownian path that is fixed before
# the run, or anew at every step. `run.py canary` reports samplers that are in neither list.
BROWNIAN = ("dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde")
DRAWN_EACH_STEP = (
    *("euler_ancestral", "euler_ancestral_cfg_pp", "dpm_2_ancestral", "dpm_fast", "dpm_adaptive"),
    *("dpmpp_2s_ancestral", "dpmpp_2s_ancestral_cfg_pp", "ddpm", "lcm", "res_multistep"),
    *("res_multistep_cfg_pp", "res_multistep_ancestral", "res_multistep_ancestral_cfg_pp"),
    *("er_sde", "seeds_2", "seeds_3", "exp_heun_2_x0_sde", "sa_solver", "sa_solver_pece"),
)

log = logging.getLogger(__name__)

Draw = Callable[[torch.Tensor], torch.Tensor]  # noise [B, C, ..., h, w] for a noise level [B]


def sampler(name: str, seeds: NoiseSeeds, begin: Start, fresh: Draw | None, *, noisy: bool = False):
    """The host's SAMPLER of this name, unchanged if none of the following is asked of it.

    With layer seeds the noise of its steps is mixed too; with noisy samples it continues from
    them; with `fresh` noise kept cells are re-noised at every step; CFG++ samplers keep them; where
    the model would show them clean, `noisy` shows them under noise.
    """
    plain = comfy.samplers.sampler_object(name)
    cfg_pp = name.endswith(CFG_PP)
    if not (seeds.layers or cfg_pp or noisy) and begin.noisy is None and fresh is None:
        return plain

    @functools.wraps(plain.sampler_function)
    def sampler_function(model, x, sigmas, **options):
        if cfg_pp:
            options["extra_args"] = keep_both_predictions(model, options["extra_args"])
        if begin.noisy is not None:
            assumed = options["extra_args"]["denoise_mask"] if begin.assumed else None
            x = resumed_state(model, begin.noisy, x, sigmas[0], assumed)
        if seeds.layers:
            options |= _step_noise(name, plain.sampler_function, seeds, x, sigmas)
        if noisy:
            model = KeptUnderNoise(model)
        if fresh is not None:
            model = FreshNoise(model, fresh)
        return plain.sampler_function(model, x, sigmas, **options)

    return comfy.samplers.KSAMPLER(sampler_function, plain.extra_options, plain.inpaint_options)


def keep_both_predictions(model, extra_args: dict[str, Any]) -> dict[str, Any]:
    """A sampler's `extra_args`, with the original in the kept cells of both predictions.

    The host puts the original into the prediction after guidance only. A CFG++ sampler takes its
    direction from the unconditional prediction, so that a kept cell would drift away from the
    original, and would start wrong at the step that sets it free.
    """
    options, mask = extra_args["model_options"], extra_args["denoise_mask"]
    if mask is None:
        return extra_args
    free_at = changing(model, mask, options)

    def pre_cfg_function(args):
        free = free_at(args["sigma"])
        kept = model.latent_image * (1 - free)
        return [prediction * free + kept for prediction in args["conds_out"]]

    before = options.get("sampler_pre_cfg_function", [])
    options = {**options, "sampler_pre_cfg_function": [*before, pre_cfg_function]}
    return {**extra_args, "model_options": options}


def fresh_noise(latent: dict, seeds: NoiseSeeds) -> Draw:
    """Noise that depends on nothing but the seeds and the noise level.

    A sampler may ask for a level as often as it likes and in any order: the same seed makes the
    same picture.
    """

    def draw(sigma: torch.Tensor) -> torch.Tensor:
        level = sigma.max().item()

        def alone(seed: int) -> torch.Tensor:
            generator = torch.Generator().manual_seed(seed_at(seed, level))
            samples, batch_index = latent["samples"], latent.get("batch_index")
            return comfy.sample.prepare_noise_inner(samples, generator, batch_index)

        return seeds.mixed(alone)

    return draw


class FreshNoise(comfy.samplers.KSamplerX0Inpaint):
    """`kept`, the host's or KeptUnderNoise, with other noise at every level, as in the paper."""

    def __init__(self, kept, draw: Draw) -> None:
        super().__init__(kept.inner_model, kept.sigmas)
        self.latent_image = kept.latent_image
        self.kept, self.draw = kept, draw

    def __call__(self, x, sigma, *args, **kwargs):
        self.kept.noise = self.draw(sigma).to(x)
        return self.kept(x, sigma, *args, **kwargs)


def is_known(name: str, function) -> bool:
    """Whether it is a sampler of the host, and the lists say how it draws its noise."""
    sampling = comfy.k_diffusion.sampling
    own = function.__module__ == sampling.__name__
    return own and name.removesuffix("_gpu") in (*BROWNIAN, *DRAWN_EACH_STEP)


def _step_noise(name: str, function, seeds: NoiseSeeds, x: torch.Tensor, sigmas) -> dict:
    """The option with which a sampler draws noise as before, but each cell from its own seed.

    Empty for samplers without such an option: those of the host draw no noise after the start.
    Empty with a warning for a sampler whose way of drawing is unknown: a new one of the host, or
    one of another pack.
    """
    sampling, kind = comfy.k_diffusion.sampling, name.removesuffix("_gpu")
    if "noise_sampler" not in inspect.signature(function).parameters:
        return {}
    if not is_known(name, function):
        log.warning(
            "%s, input layer_seeds: how %s makes the noise of its steps is not known, so it makes "
            "it from `seed` in every layer. Take a sampler_name like dpmpp_2m_sde instead.",
            NODE,
            name,
        )
        return {}

    def alone(seed: int):
        if kind in BROWNIAN:
            ends = sigmas[sigmas > 0].min(), sigmas.max()
            on_cpu = not name.endswith("_gpu")
            return sampling.BrownianTreeNoiseSampler(x, *ends, seed=seed, cpu=on_cpu)
        return sampling.default_noise_sampler(x, seed=seed)

    samplers = {seed: alone(seed) for seed in seeds.all}
    return {"noise_sampler": lambda *step: seeds.mixed(lambda seed: samplers[seed](*step))}
