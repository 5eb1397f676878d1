"""The widgets of PerLayerNoiseKSampler: those of KSampler, and those that refine its noise."""

from __future__ import annotations

from comfy_api.latest import io

from ..collage_core.noise.plan import LAST_STEP, RENOISE
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
            tooltip="Steps from the highest noise to none.",
        ),
        io.Float.Input(
            "cfg",
            default=7.5,
            min=0.0,
            max=100.0,
            step=0.1,
            round=0.01,
            tooltip="How strongly the picture follows the prompt; 1 leaves `negative` out.",
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
    """Came later: optional, so that workflows for scripts that leave them out still run."""
    return [
        halo_widget(
            "Pixels around each layer that get its noise where theirs is lower, so that "
            "its shadow and its reflection may form outside its alpha. What lies within them is "
            "raised even if it was locked with noise 0: a shadow has to fall somewhere.",
        ),
        io.String.Input(
            "layer_seeds",
            multiline=True,
            default="",
            optional=True,
            advanced=True,
            placeholder="2: 77",
            tooltip="A seed of its own for a layer, to change it alone: its number or its text, a "
            "colon and the seed, one per line or with commas between. The cells where the layer "
            "shows most take all their noise from that seed, the noise of all others stays. "
            "A sampler of another pack that draws noise at every step draws that as without.",
        ),
        io.Combo.Input(
            "renoise",
            options=list(RENOISE),
            default="host",
            optional=True,
            advanced=True,
            tooltip="What the model sees where the picture is still kept: the original under one "
            "noise for the whole run, as ComfyUI does it (host), or under fresh noise at every "
            "step, as in the paper.",
        ),
        io.Int.Input(
            "start_at_step",
            default=0,
            min=0,
            max=LAST_STEP,
            step=1,
            optional=True,
            advanced=True,
            tooltip="Begin with this step of the schedule. With a latent_image the steps before "
            "are taken to be done: it comes noisy from a sampler that stopped there, no noise is "
            "added, and kept places are made of what that sampler began with.",
        ),
        io.Int.Input(
            "end_at_step",
            default=LAST_STEP,
            min=0,
            max=LAST_STEP,
            step=1,
            optional=True,
            advanced=True,
            tooltip="Stop before this step. The rest of the noise stays in the latent, in kept "
            "places as well, for another sampler that has the same collage, seed and steps and "
            "starts at this step.",
        ),
    ]
