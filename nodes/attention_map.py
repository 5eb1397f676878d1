"""CollageAttentionMap: where the words of each layer act on the finished picture."""

from __future__ import annotations

from comfy_api.latest import io

from ..collage_core.attention.maps import describe_attention, layer_regions
from ..collage_core.imaging.colour import heat_maps
from .host.attention.replay import attached_conditioning, check_latent, is_joint, replay
from .host.models.batch_rows import latent_pictures, tell_pictures
from .sockets import CATEGORY, CollageSocket
from .widgets import seed_widget

NODE = "CollageAttentionMap"
MOST_STEPS = 100


class CollageAttentionMap(io.ComfyNode):
    """A replay of the model and the words, not a record of the sampler's own steps."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Collage Attention Map",
            category=CATEGORY,
            description=(
                "Shows where each layer's words act, to find out why an object appeared "
                "elsewhere. The node adds noise to the finished picture at several levels and "
                "runs the patched model on it with the scene prompt. So it measures this model "
                "and these words, not the sampler's own steps. It leaves out the negative and "
                "everything that was added to `positive` after the patch, such as a ControlNet."
            ),
            search_aliases=["attention heatmap", "daam", "debug", "leakage", "cross attention"],
            inputs=[
                io.Model.Input("model", tooltip="The model from Masked Cross-Attention Patch."),
                CollageSocket.Input("collage", tooltip="The collage of that patch."),
                io.Latent.Input(
                    "latent", tooltip="The sampler's result. For a batch the mean is shown."
                ),
                io.Int.Input(
                    "steps",
                    default=8,
                    min=1,
                    max=MOST_STEPS,
                    step=1,
                    tooltip="The number of noise levels, spread evenly over the schedule. Each "
                    "costs about half a sampler step.",
                ),
                seed_widget("The seed of the noise that is added.", control=False, advanced=True),
            ],
            outputs=[
                io.Image.Output(
                    "image",
                    tooltip="One picture for each shown layer, bottom to top: the brighter, the "
                    "more its words act there. The line is the layer's visible mask.",
                ),
                io.String.Output(
                    "report", tooltip="How much of each layer's attention lies outside its mask."
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
        joint = is_joint(model, positive, latent)
        report = describe_attention(collage, bias.regions, attention, steps, joint=joint)
        return io.NodeOutput(picture, report)
