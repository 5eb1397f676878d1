"""The host's KSampler, run so that every latent cell gets its own noise.

It does the same as nodes.common_ksampler, in parts.

Host symbols:
    comfy.samplers.KSampler(model, steps, device, sampler, scheduler, denoise, model_options):
        sigmas
    comfy.samplers.KSampler: SAMPLERS, SCHEDULERS
    comfy.sample: prepare_noise(latent_image, seed, noise_inds)
    comfy.sample: sample_custom(model, noise, cfg, *, sampler, sigmas, positive, negative,
        latent_image)
    comfy.sample.sample_custom: "noise_mask", "callback", "disable_pbar", "seed"
    comfy.model_patcher.ModelPatcher: load_device, model_options, get_model_object(name)
    comfy.model_sampling.ModelSamplingDiscrete: sigmas
    comfy.utils: reshape_mask(input_mask, output_shape), PROGRESS_BAR_ENABLED
    latent_preview.prepare_callback(model, steps)
    nodes.common_ksampler: "samples", "noise_mask", "batch_index"
"""

from __future__ import annotations

from collections.abc import Mapping

import comfy.sample
import comfy.samplers
import comfy.utils
import latent_preview
import torch

from ....collage_core.errors import CollageError
from ....collage_core.noise.plan import SamplingPlan
from ....collage_core.noise.release import (
    NOISE_RESOLUTION,
    fixed_cells,
    never_freed,
    schedule_fraction,
    start_noise,
)
from ..attention.conditioning import KEY
from ..attention.patch import begins_at, is_patched
from .denoise_mask import apply_free_cells
from .kept_cells import is_under_noise, under_noise
from .partial_run import Start
from .solver import fresh_noise, sampler

SAMPLERS = comfy.samplers.KSampler.SAMPLERS
SCHEDULERS = comfy.samplers.KSampler.SCHEDULERS
MAX_LEVELS = 500_000  # of a schedule: some 25 seconds of the slowest scheduler


def sample_cells(
    model,
    begin: Start,
    cells: torch.Tensor,
    noises: Mapping[str, float],
    plan: SamplingPlan,
    **ksampler,
) -> dict:
    """What to sample and the noise of its cells [B, 1, h, w], from `named_noises` -> LATENT.

    `ksampler` holds KSampler's other inputs by name, except the seed. With one noise everywhere
    the result is that of KSampler at this denoise, to the bit. Sampling continues from noisy
    samples, if there are any, while kept cells come from the clean ones. The LATENT's own
    noise_mask works as in KSampler and stays in the result. Our mask does not stay: it describes
    this run, and a later sampler would take it for the user's.
    """
    _check_words(model, ksampler["positive"])
    latent = begin.latent
    samples, noise_mask = latent["samples"], latent.get("noise_mask")
    start = start_noise(cells, [*noises.values()])
    if samples.ndim == 5:
        cells = cells.unsqueeze(2)  # one frame
    if cells.min() < start - NOISE_RESOLUTION:
        model = under_noise(apply_free_cells(model, cells, start, plan.growth))
        noise_mask = _changing(samples, noise_mask, cells)
    schedule = _schedule(model, start, **ksampler)
    if len(schedule):
        model = begins_at(model, float(schedule[0]))
        _check_reached(model, schedule, start, cells, noises)
    inputs = {**latent, "noise_mask": noise_mask}
    sigmas = plan.steps.of(schedule)
    if len(sigmas):
        begin.check_level(float(sigmas[0]))
    sampled = _ksampler(model, inputs, begin, sigmas, plan, **ksampler)
    if not sampled.isfinite().all():
        raise CollageError(
            f"PerLayerNoiseKSampler, input model: sampling ended in NaN or infinite values, which "
            f"would decode to a black picture. Check the model and its precision, or take another "
            f"sampler_name than {ksampler['sampler_name']}."
        )
    if plan.steps.leaves_noise(schedule):
        return begin.left(sampled, plan.steps.end, float(sigmas[-1]))
    # Several samplers stop short of zero noise, and scaling rounds: kept means kept to the bit.
    fixed = fixed_cells(cells).to(sampled.device)
    return {**latent, "samples": torch.where(fixed, samples.to(sampled), sampled)}


def _check_words(model, positive: list) -> None:
    """Both outputs of MaskedCrossAttentionPatch must be used: one alone silently does nothing."""
    placed = any(KEY in options for _, options in positive)
    if placed and not is_patched(model):
        raise CollageError(
            "PerLayerNoiseKSampler, input model: `positive` comes from MaskedCrossAttentionPatch "
            "and this model does not, so words would act everywhere. Connect that node's model."
        )
    if is_patched(model) and not placed:
        raise CollageError(
            "PerLayerNoiseKSampler, input positive: the model comes from "
            "MaskedCrossAttentionPatch and this conditioning does not, so words would act "
            "everywhere. Connect that node's positive, or the model from before it."
        )


def _check_reached(
    model,
    schedule: torch.Tensor,
    start: float,
    cells: torch.Tensor,
    noises: Mapping[str, float],
) -> None:
    """Refuse a noise below the last step's: that layer would stay as if its noise were 0."""
    table = model.get_model_object("model_sampling").sigmas
    lowest = min(schedule_fraction(schedule[-2:-1], table), start)
    if kept := never_freed(cells, noises, lowest):
        name, noise = next(iter(kept.items()))
        raise CollageError(
            f"PerLayerNoiseKSampler, input steps: the last of {len(schedule) - 1} steps begins at "
            f"noise {lowest:.3g}, so {name} with noise {noise:.3g} would not change at all. Take "
            f"more steps, or give it noise 0, to keep it, or at least {lowest:.3g}."
        )


def _changing(
    samples: torch.Tensor, own_mask: torch.Tensor | None, cells: torch.Tensor
) -> torch.Tensor:
    """1 where a cell may change at any step [B, 1, ..., h, w], times the LATENT's noise_mask."""
    changing = (~fixed_cells(cells)).float()
    if own_mask is None:
        return changing
    own_mask = comfy.utils.reshape_mask(own_mask, (len(samples), 1, *samples.shape[2:]))
    return changing * own_mask.to(changing)


def _schedule(model, denoise: float, *, steps, sampler_name, scheduler, **_) -> torch.Tensor:
    """The noise levels of KSampler at that denoise; none where it is 0.

    The host makes a schedule of steps / denoise levels, one by one, and takes the end of it.
    Raises CollageError for a schedule that would take minutes, which nothing could interrupt.
    """
    if steps > denoise * MAX_LEVELS > 0:
        raise CollageError(
            f"PerLayerNoiseKSampler, input steps: {steps} steps at a highest noise of "
            f"{denoise:.3g} are the end of a schedule of {steps / denoise:.0f}. "
            f"Enter at most {int(denoise * MAX_LEVELS)}."
        )
    device, options = model.load_device, model.model_options
    return comfy.samplers.KSampler(
        model, steps, device, sampler_name, scheduler, denoise, options
    ).sigmas


def _ksampler(
    model, latent, begin, sigmas, plan, *, steps, sampler_name, cfg, positive, negative, **_
) -> torch.Tensor:
    samples, batch_index, seeds = latent["samples"], latent.get("batch_index"), plan.seeds
    fresh = fresh_noise(latent, seeds) if plan.renoise == "paper" else None
    return comfy.sample.sample_custom(
        model,
        seeds.mixed(lambda seed: comfy.sample.prepare_noise(samples, seed, batch_index)),
        cfg,
        sampler=sampler(sampler_name, seeds, begin, fresh, noisy=is_under_noise(model)),
        sigmas=sigmas,
        latent_image=samples,
        noise_mask=latent["noise_mask"],
        callback=latent_preview.prepare_callback(model, steps),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=seeds.picture,
        positive=positive,
        negative=negative,
    )
