"""Sampling a collage."""

from __future__ import annotations

from comfy_api.latest import io

from ..collage_core.noise.noise_map import cell_noise, collage_noise, named_noises
from ..collage_core.noise.plan import LAST_STEP, SamplingPlan, StepRange
from ..collage_core.noise.release import PAPER_GROWTH
from ..collage_core.noise.seeds import noise_seeds
from .host.models.batch_rows import latent_pictures, tell_pictures
from .host.models.latents import cell_size, check_canvas
from .host.models.made_of import check_collage
from .host.sampling.ksampler import sample_cells
from .host.sampling.partial_run import start_latents
from .noise_preview import noise_picture
from .sampling_widgets import finer_widgets, ksampler_widgets
from .sockets import CATEGORY, CollageSocket
from .widgets import SLIDER, feather_widget, share_widget

NODE = "PerLayerNoiseKSampler"


class PerLayerNoiseKSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Per-Layer Noise KSampler",
            category=CATEGORY,
            description=(
                "Turns a collage into one picture. Each layer is redrawn as far as its own noise "
                "says: 0 keeps its pixels, 1 draws it from nothing."
            ),
            search_aliases=["collage sampler", "harmonize", "regional denoise", "img2img"],
            inputs=[
                io.Model.Input("model", tooltip="The diffusion model that paints the picture."),
                CollageSocket.Input("collage", tooltip="The collage to turn into one picture."),
                io.Vae.Input("vae", tooltip="The model's VAE, which encodes the composite."),
                io.Conditioning.Input("positive", tooltip="What the picture should show."),
                io.Conditioning.Input("negative", tooltip="What the picture should not show."),
                *ksampler_widgets(),
                share_widget(
                    "base_noise",
                    0.8,
                    "The noise where there is no layer: 0 keeps the background, 1 redraws it. A "
                    "collage from Collage Edit has its own value.",
                    display_mode=SLIDER,
                ),
                feather_widget(
                    "Blur of the noise map in pixels, so that layers blend at their edges. A "
                    "collage from Collage Edit has its own value.",
                    advanced=True,
                ),
                io.Latent.Input(
                    "latent_image",
                    optional=True,
                    tooltip="Start from this latent, as large as the collage, instead of the "
                    "composite: an earlier result to refine, or a batch for variations.",
                ),
                *finer_widgets(),
            ],
            outputs=[
                io.Latent.Output("latent", tooltip="The painted picture, to be decoded."),
                io.Mask.Output(
                    "noise_map", tooltip="The noise of every pixel after the blur. White is 1."
                ),
                io.Image.Output(
                    "noise_preview",
                    tooltip="The noise over the composite in grey, with a legend of the layers.",
                ),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def execute(
        cls,
        model,
        collage,
        vae,
        seed,
        base_noise,
        feather,
        latent_image=None,
        halo=0,
        layer_seeds="",
        renoise="host",
        start_at_step=0,
        end_at_step=LAST_STEP,
        grow_kept_by=PAPER_GROWTH,
        **ksampler,
    ) -> io.NodeOutput:
        check_collage(NODE, collage, {name: ksampler[name] for name in ("positive", "negative")})
        pictures = latent_pictures(collage, latent_image, NODE, "latent_image")
        collage, model = collage.of_pictures(pictures), tell_pictures(model, pictures)
        cell = cell_size(model, vae)
        check_canvas(model, vae, collage.width, collage.height)
        pixels = collage_noise(collage, base_noise, feather, halo)
        seeds = noise_seeds(seed, layer_seeds, collage, cell)
        plan = SamplingPlan(seeds, StepRange(start_at_step, end_at_step), renoise, grow_kept_by)
        cells = cell_noise(pixels, cell)
        begin = start_latents(
            model, vae, collage.composite.image, latent_image, cells, resumed=start_at_step > 0
        )
        noises = named_noises(collage, base_noise)
        sampled = sample_cells(model, begin, cells, noises, plan, **ksampler)
        preview = noise_picture(collage, pixels, base_noise)
        return io.NodeOutput(sampled, pixels.squeeze(1), preview)
