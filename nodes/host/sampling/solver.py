"""The host's samplers with noise of our own: the function that takes the steps, given other parts.

A sampler function is called as (model, x, sigmas, extra_args, callback, disable, **extra_options),
`model` being a KSamplerX0Inpaint; noise_sampler as (sigma, sigma_next).

Host symbols:
    comfy.samplers.sampler_object(name)
    comfy.samplers.KSAMPLER(sampler_function, extra_options, inpaint_options): sampler_function
    comfy.samplers.KSAMPLER: extra_options, inpaint_options, "extra_args", "callback", "disable"
    comfy.k_diffusion.sampling.default_noise_sampler(x, *, seed)
    comfy.k_diffusion.sampling.BrownianTreeNoiseSampler(x, sigma_min, sigma_max, *, seed, cpu)
    comfy.k_diffusion.sampling.BrownianTreeNoiseSampler: __call__(sigma, sigma_next)
    comfy.k_diffusion.sampling: "noise_sampler"
"""

from __future__ import annotations

import functools
import inspect
import logging

import comfy.k_diffusion.sampling
import comfy.samplers
import torch

from ....collage_core.noise.seeds import NoiseSeeds
from ..models.latents import NODE
from .cfg_pp import SUFFIX, keep_every_guess
from .fresh_noise import Draw, FreshNoise
from .partial_run import Start, state_to_go_on_from

# How the host's samplers make the noise of their steps: along a path made beforehand, or anew at
# every step. `run.py canary` tells of samplers that stand in neither list.
BROWNIAN = ("dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde")
DRAWN_ANEW = (
    *("euler_ancestral", "euler_ancestral_cfg_pp", "dpm_2_ancestral", "dpm_fast", "dpm_adaptive"),
    *("dpmpp_2s_ancestral", "dpmpp_2s_ancestral_cfg_pp", "ddpm", "lcm", "res_multistep"),
    *("res_multistep_cfg_pp", "res_multistep_ancestral", "res_multistep_ancestral_cfg_pp"),
    *("er_sde", "seeds_2", "seeds_3", "exp_heun_2_x0_sde", "sa_solver", "sa_solver_pece"),
)

log = logging.getLogger(__name__)


def sampler(name: str, seeds: NoiseSeeds, begin: Start, fresh: Draw | None):
    """The host's SAMPLER of this name, itself where nothing is asked of it.

    Where layers have seeds, the noise of its steps is mixed as well. It goes on from noisy
    samples, and puts kept cells under `fresh` noise, where these are given. CFG++ keeps them too.
    """
    plain = comfy.samplers.sampler_object(name)
    two_guesses = name.endswith(SUFFIX)
    if not (seeds.layers or two_guesses) and begin.noisy is None and fresh is None:
        return plain

    @functools.wraps(plain.sampler_function)
    def sampler_function(model, x, sigmas, **options):
        if two_guesses:
            options["extra_args"] = keep_every_guess(model, options["extra_args"])
        if begin.noisy is not None:
            assumed = options["extra_args"]["denoise_mask"] if begin.assumed else None
            x = state_to_go_on_from(model, begin.noisy, x, sigmas[0], assumed)
        if seeds.layers:
            options |= _step_noise(name, plain.sampler_function, seeds, x, sigmas)
        if fresh is not None:
            model = FreshNoise(model, fresh)
        return plain.sampler_function(model, x, sigmas, **options)

    return comfy.samplers.KSAMPLER(sampler_function, plain.extra_options, plain.inpaint_options)


def is_known(name: str, function) -> bool:
    """Whether it is the host's and draws the noise of its steps in a way that is told above."""
    sampling = comfy.k_diffusion.sampling
    own = function.__module__ == sampling.__name__
    return own and name.removesuffix("_gpu") in (*BROWNIAN, *DRAWN_ANEW)


def _step_noise(name: str, function, seeds: NoiseSeeds, x: torch.Tensor, sigmas) -> dict:
    """The option by which a sampler draws as it would by itself, but each cell from its own seed.

    Empty for samplers that take none: those of the host then draw no noise after the start. How a
    new sampler or one of another pack draws is not known: it gets none either, and that is said.
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
