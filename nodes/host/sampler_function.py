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

import comfy.k_diffusion.sampling
import comfy.samplers
import torch

from ...collage_core.layer_seeds import NoiseSeeds
from .fresh_noise import Draw, FreshNoise
from .kept_guess import SUFFIX, keep_every_guess
from .under_way import Start, state_to_go_on_from

# These walk along a path of noise made beforehand; all others draw anew at every step.
BROWNIAN = ("dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde")


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


def _step_noise(name: str, function, seeds: NoiseSeeds, x: torch.Tensor, sigmas) -> dict:
    """The option by which a sampler draws as it would by itself, but each cell from its own seed.

    Empty for samplers that take none: those of the host then draw no noise after the start. How
    the samplers of other packs draw is not known, so they get none either.
    """
    sampling = comfy.k_diffusion.sampling
    takes_one = "noise_sampler" in inspect.signature(function).parameters
    if not takes_one or function.__module__ != sampling.__name__:
        return {}

    def alone(seed: int):
        if name.removesuffix("_gpu") in BROWNIAN:
            ends = sigmas[sigmas > 0].min(), sigmas.max()
            on_cpu = not name.endswith("_gpu")
            return sampling.BrownianTreeNoiseSampler(x, *ends, seed=seed, cpu=on_cpu)
        return sampling.default_noise_sampler(x, seed=seed)

    samplers = {seed: alone(seed) for seed in seeds.all}
    return {"noise_sampler": lambda *step: seeds.mixed(lambda seed: samplers[seed](*step))}
