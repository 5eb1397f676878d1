"""Runs in parts: a latent that a sampler left noisy, and the clean one that kept cells come from.

A sampler that stops early gives out both; the clean latent has a key of its own in the LATENT.
Where the key is lost (in a file, a rebatch, another sampler) the composite is used as the clean
latent, after a check that the kept cells show it.

A sampler function gets a KSamplerX0Inpaint as its model.

Host symbols:
    comfy.utils.repeat_to_batch_size(tensor, batch_size)
    comfy.samplers.KSAMPLER: "latent_image", "noise"
    comfy.samplers.KSamplerX0Inpaint: inner_model
    comfy.samplers.CFGGuider: inner_model
    comfy.model_base.BaseModel: process_latent_in(latent), model_sampling
    comfy.model_sampling.EPS: noise_scaling(sigma, noise, latent_image)
"""

from __future__ import annotations

from dataclasses import dataclass

import comfy.utils
import torch

from ....collage_core.errors import CollageError
from ....collage_core.noise.original import WHERE, Original
from ....collage_core.noise.release import NOISE_RESOLUTION
from ..models.latents import NODE, start_latent

ORIGINAL = "collage_original"
# Shares of the noise that is due: samples outside of them were not left by a sampler at that step.
MIN_NOISE_SHARE, MAX_NOISE_SHARE = 0.5, 1.5


@dataclass(frozen=True, eq=False)
class Start:
    """The clean LATENT to sample, and the noisy samples to resume from; None begins a run.

    composite: the picture [B, H, W, 3] that the clean samples are encoded from, if they are.
    original: what the LATENT says of the run before, if it does; else the clean samples of a
    resumed run are only taken for the composite's.

    Example: Start({"samples": clean}, noisy, composite=picture)
    """

    latent: dict
    noisy: torch.Tensor | None
    composite: torch.Tensor | None
    original: Original | None = None

    @property
    def assumed(self) -> bool:
        return self.noisy is not None and self.original is None

    def check_level(self, sigma: float) -> None:
        """Raise CollageError for samples that were left at another noise level than `sigma`."""
        if self.noisy is not None and self.original is not None:
            self.original.check_level(self.noisy, sigma)

    def left(self, sampled: torch.Tensor, end: int, sigma: float) -> dict:
        """The LATENT of a sampler that stopped at step `end` with noise `sigma` in `sampled`."""
        clean, index = self.latent["samples"], self.latent.get("batch_index")
        original = Original.of_rows(sampled, clean, index, self.composite, end, sigma)
        return {**self.latent, "samples": sampled, ORIGINAL: original}


def start_latents(
    model,
    vae,
    image: torch.Tensor,
    latent_image: dict | None,
    cells: torch.Tensor,
    *,
    resumed: bool,
) -> Start:
    """What to sample; a run is resumed if `resumed` is set and there is a `latent_image`.

    The other arguments are those of `start_latent`. Raises CollageError for an empty latent, an
    unfinished latent where a run begins, and a latent that was changed in a way that the clean
    samples cannot follow.
    """
    if latent_image is not None:
        _check_something(latent_image["samples"], cells, resumed)
    latent = start_latent(model, vae, image, latent_image, cells)
    original = latent.pop(ORIGINAL, None)
    if not isinstance(original, Original):
        original = None
    if latent_image is None:
        return Start(latent, None, image)
    if not resumed:
        _check_finished(latent["samples"], original)
        return Start(latent, None, None)
    noisy, clean = (
        latent["samples"],
        None if original is None else original.of(latent["samples"], latent.get("batch_index")),
    )
    if original is not None and clean is not None:
        original.check_composite(image)
        composite = image if original.composite else None
        return Start({**latent, "samples": clean}, noisy, composite, original)
    clean = start_latent(model, vae, image, None, cells)["samples"]
    clean = comfy.utils.repeat_to_batch_size(clean, len(noisy))
    return Start({**latent, "samples": clean}, noisy, image)


def resumed_state(
    model, noisy: torch.Tensor, x: torch.Tensor, sigma, assumed: torch.Tensor | None
) -> torch.Tensor:
    """The state that a sampler function starts from at `sigma`, in place of `x`.

    It is that of KSamplerAdvanced with add_noise disabled. Raises CollageError for samples with
    far less noise than this step starts with, most likely a finished picture. Given the denoise
    mask of an assumed original, it also raises if the kept cells show another picture.
    """
    inner = model.inner_model.inner_model
    nothing = torch.zeros_like(x)
    state = inner.process_latent_in(noisy.to(x))
    state = inner.model_sampling.noise_scaling(sigma, nothing, state)
    clean = inner.model_sampling.noise_scaling(sigma, nothing, model.latent_image)
    due = inner.model_sampling.noise_scaling(sigma, model.noise, nothing).std()
    if (state - clean).std() < MIN_NOISE_SHARE * due:
        raise CollageError(
            f"{WHERE}: it holds far less noise than the step start_at_step begins with. Connect "
            "the latent that a sampler left at that step (end_at_step); to refine a finished "
            "picture leave start_at_step at 0 and lower the noise of its layers."
        )
    if assumed is None:
        return state
    kept = (state - clean)[assumed.expand_as(x) == 0]
    if len(kept) > 1 and kept.std() > MAX_NOISE_SHARE * due:
        raise CollageError(
            f"{WHERE}: where the collage is kept, it shows something else than the collage under "
            "the noise that the step start_at_step begins with. Connect the latent that a "
            f"{NODE} with this collage left at that step (end_at_step)."
        )
    return state


def _check_something(samples: torch.Tensor, cells: torch.Tensor, resumed: bool) -> None:
    """Refuse empty latents, unless all of the picture is drawn anew."""
    if samples.is_nested or samples.flatten(1).any(1).all():
        return
    if resumed:
        raise CollageError(
            f"{WHERE}: it is empty, so there is no step to go on from. Connect the latent of the "
            "sampler that took the steps before start_at_step, or set that to 0."
        )
    if cells.min() < 1 - NOISE_RESOLUTION:
        raise CollageError(
            f"{WHERE}: it is empty, as EmptyLatentImage makes it, so nothing of the collage would "
            "be painted. Disconnect it; for several pictures of the collage connect its image, "
            "encoded by VAE Encode and repeated by Repeat Latent Batch."
        )


def _check_finished(samples: torch.Tensor, original: Original | None) -> None:
    """Refuse to begin a run with an unfinished latent."""
    if original is not None and any(original.knows(samples)):
        raise CollageError(
            f"{WHERE}: it is full of noise, as the sampler that stopped at step {original.end} "
            f"left it. Set start_at_step to {original.end} to go on, or end_at_step of that "
            "sampler to its highest value."
        )
