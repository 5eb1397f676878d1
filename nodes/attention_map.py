"""CollageAttentionMap: where the words of each layer act, seen on the finished picture."""

from __future__ import annotations

from comfy_api.latest import io

from ..collage_core.attention.maps import describe_attention, layer_regions
from ..collage_core.imaging.colour import heat_maps
from .host.attention.replay import attached_conditioning, check_latent, replay
from .host.models.batch_rows import latent_pictures, tell_pictures
from .sockets import CATEGORY, CollageSocket
from .widgets import seed_widget

NODE = "CollageAttentionMap"
MOST_STEPS = 100


class CollageAttentionMap(io.ComfyNode):
    """A replay, no log: exact for the model and the words, not for the sampler's own steps."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Collage Attention Map",
            category=CATEGORY,
            description=(
                "Shows where the words of every layer act, to see why an object went elsewhere. "
                "The finished picture is put under noise again at several levels, and the "
                "patched model looks at it with the scene prompt: a replay with this model and "
                "these words, not a log of the sampler's own steps. It leaves out the negative "
                "and whatever was added to `positive` after the patch, such as a ControlNet."
            ),
            search_aliases=["attention heatmap", "daam", "debug", "leakage", "cross attention"],
            inputs=[
                io.Model.Input("model", tooltip="The model from Masked Cross-Attention Patch."),
                CollageSocket.Input("collage", tooltip="The collage the model was patched for."),
                io.Latent.Input(
                    "latent", tooltip="What the sampler made; of a batch the mean is shown."
                ),
                io.Int.Input(
                    "steps",
                    default=8,
                    min=1,
                    max=MOST_STEPS,
                    step=1,
                    tooltip="Noise levels, spread evenly over the whole schedule. Each costs as "
                    "much as half a sampler step.",
                ),
                seed_widget(
                    "Seed of the noise the picture is put under.", control=False, advanced=True
                ),
            ],
            outputs=[
                io.Image.Output(
                    "image",
                    tooltip="One picture per layer that is shown, bottom to top: the brighter, "
                    "the more its words act there; the line is the layer's visible mask.",
                ),
                io.String.Output(
                    "report", tooltip="How much of every layer's attention lies outside its mask."
                ),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def execute(cls, model, collage, latent, steps, seed) -> io.NodeOutput:
        positive, bias = attached_conditioning(model, collage)
        check_latent(model, collage, latent)
        pictures = latent_pictures(collage, latent, NODE, "latent")
        collage, model = collage.of_pictures(pictures), tell_pictures(model, pictures)
        attention = replay(model, positive, latent, steps, seed)
        maps, composite = attention.mean(0)[layer_regions(bias.regions)], collage.composite
        picture = heat_maps(maps, composite.visible_alpha[0], composite.image[0])
        return io.NodeOutput(picture, describe_attention(collage, bias.regions, attention, steps))
