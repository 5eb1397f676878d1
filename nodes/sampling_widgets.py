"""The widgets of PerLayerNoiseKSampler: those of KSampler, and those that refine its noise."""

from __future__ import annotations

from comfy_api.latest import io

from ..collage_core.noise.plan import LAST_STEP, RENOISE
from ..collage_core.noise.release import PAPER_GROWTH
from .host.sampling.ksampler import SAMPLERS, SCHEDULERS
from .widgets import halo_widget, seed_widget


def ksampler_widgets() -> list[io.Input]:
    """The widgets of KSampler, with its ranges."""
    return [
        seed_widget("The random seed: the same seed makes the same picture.", control=True),
        io.Int.Input(
            "steps",
            default=30,
            min=1,
            max=10000,
            step=1,
            tooltip="The number of steps from the highest noise to none.",
        ),
        io.Float.Input(
            "cfg",
            default=7.5,
            min=0.0,
            max=100.0,
            step=0.1,
            round=0.01,
            tooltip="How strongly the picture follows the prompt. At 1, `negative` is not used.",
        ),
        io.Combo.Input(
            "sampler_name",
            options=SAMPLERS,
            default="euler_ancestral",
            tooltip="The algorithm that takes the steps.",
        ),
        io.Combo.Input(
            "scheduler",
            options=SCHEDULERS,
            default="normal",
            tooltip="How the noise falls from step to step.",
        ),
    ]


def finer_widgets() -> list[io.Input]:
    """Inputs that came later: optional, so that scripts that leave them out still run."""
    return [
        halo_widget(
            "Pixels around each layer that get the layer's noise where their own is lower, so "
            "that a shadow or a reflection can form outside the layer. This includes layers that "
            "are locked with noise 0: a shadow has to fall somewhere.",
        ),
        io.String.Input(
            "layer_seeds",
            multiline=True,
            default="",
            optional=True,
            advanced=True,
            placeholder="2: 77",
            tooltip="Another seed for one layer, to change that layer alone: its number or its "
            "text, a colon and the seed, one per line or separated by commas. The latent cells "
            "where this layer shows most take all their noise from that seed; the noise of all "
            "other cells stays the same. Samplers from other packs use this seed for the starting "
            "noise only.",
        ),
        io.Combo.Input(
            "renoise",
            options=list(RENOISE),
            default="host",
            optional=True,
            advanced=True,
            tooltip="What the model sees where the picture is still kept. host: the original with "
            "the same noise for the whole run, as in ComfyUI. paper: the original with fresh "
            "noise at every step, as in the paper.",
        ),
        io.Int.Input(
            "start_at_step",
            default=0,
            min=0,
            max=LAST_STEP,
            step=1,
            optional=True,
            advanced=True,
            tooltip="Start at this step. Connect the unfinished latent of a sampler that stopped "
            "here to latent_image; no new noise is added then. Without it the composite gets the "
            "noise of this step.",
        ),
        io.Int.Input(
            "end_at_step",
            default=LAST_STEP,
            min=0,
            max=LAST_STEP,
            step=1,
            optional=True,
            advanced=True,
            tooltip="Stop before this step. The remaining noise stays in the latent, also in kept "
            "places, for another sampler with the same collage, seed and steps that starts at "
            "this step.",
        ),
        io.Int.Input(
            "grow_kept_by",
            default=PAPER_GROWTH,
            min=0,
            max=64,
            step=1,
            optional=True,
            advanced=True,
            tooltip="How far kept places grow over their surroundings while the noise is high, in "
            "cells of 8 pixels; they shrink back as it falls. 4, the paper's, lets the "
            "surroundings follow the object. 0 lets light and shadow reach it from the first step "
            "on: objects with little noise fit in better.",
        ),
    ]
