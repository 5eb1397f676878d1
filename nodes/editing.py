"""CollageEdit and CollagePasteBack: change one thing of a finished picture, keep the rest."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..collage_core.editing.edit import NODE, EditRequest, edit
from ..collage_core.editing.paste_back import NODE as BACK
from ..collage_core.editing.paste_back import (
    check_batches,
    checked_pictures,
    paste_back,
    region_noise,
)
from ..collage_core.editing.split import split_bytes
from ..collage_core.imaging.pixels import given_out
from .host.files.embedding_files import check_written, texts_hash
from .host.limits import check_room
from .noise_preview import noise_picture
from .sockets import CATEGORY, CollageSocket
from .widgets import SLIDER, feather_widget, share_widget


class CollageEdit(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Collage Edit",
            category=CATEGORY,
            description=(
                "Goes on from a finished picture: the layers you name are redrawn, everything "
                "else is kept. The sampler starts from the picture instead of the layers' pixels. "
                "As often as you want: result, edit, result. Collage Paste Back then makes what "
                "was kept the same to the byte."
            ),
            search_aliases=["inpaint", "regenerate layer", "refine", "iterate", "redraw"],
            has_intermediate_output=True,
            inputs=[
                CollageSocket.Input(
                    "collage", tooltip="The collage of the picture, perhaps changed since."
                ),
                io.Image.Input("image", tooltip="The finished picture, as large as the collage."),
                io.String.Input(
                    "layers",
                    multiline=True,
                    default="",
                    placeholder="3, salmon sushi",
                    tooltip="Which layers to redraw: numbers as the reports give them (1 is the "
                    "lowest, 0 the background) or texts, apart by commas or on lines of their own.",
                ),
                share_widget(
                    "noise",
                    0.6,
                    "How freely they are redrawn, as a layer's noise.",
                    display_mode=SLIDER,
                ),
                io.String.Input(
                    "phrase",
                    default="",
                    placeholder="tuna sushi",
                    dynamic_prompts=True,
                    tooltip="Other words for the one layer named: they take the place of its text, "
                    "also in the prompt, and its learned look goes. Empty keeps the words.",
                ),
                feather_widget(
                    "How softly the noise ends at the edges of what is redrawn, in pixels; in "
                    "place of the sampler's feather.",
                    advanced=True,
                ),
                io.Boolean.Input(
                    "paste",
                    default=False,
                    tooltip="Paste the own pixels of the layers named over the picture first: for "
                    "a layer that was added, moved or replaced, and to start anew from the "
                    "collage's look. Off: they are redrawn from the picture.",
                ),
                CollageSocket.Input(
                    "before",
                    optional=True,
                    tooltip="The collage the picture was made of, if a layer was moved since: the "
                    "layers named are taken away from where they were, and what they leave is "
                    "filled and redrawn as well. Use with paste.",
                ),
            ],
            outputs=[
                CollageSocket.Output("collage", tooltip="For the sampler and all other nodes."),
                io.Image.Output("image", tooltip="The picture that the sampler starts from."),
                io.Mask.Output(
                    "noise_map",
                    tooltip="The noise of every pixel: 0 is kept, 1 drawn anew. A halo of the "
                    "sampler's comes on top.",
                ),
                io.String.Output("prompt", tooltip="The prompt with learned words inserted."),
                io.String.Output("report", tooltip="What may change; read it as text."),
                io.Image.Output(
                    "noise_preview",
                    tooltip="The noise over the grey composite, with a legend of the layers.",
                ),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, phrase, **_: Any) -> str:
        return texts_hash(phrase)

    @classmethod
    def execute(
        cls, collage, image, layers, noise, phrase, feather, paste, before=None
    ) -> io.NodeOutput:
        request = EditRequest(
            layers=layers, noise=noise, phrase=phrase, feather=feather, paste=paste, previous=before
        )
        if before is not None:
            what = f"taking {len(before.shown)} layers of the picture apart"
            check_room(NODE, what, split_bytes(before, len(image)), image.device)
        edited, noise, report = edit(collage, image, request)
        check_written(cls, 3, [layer.embedding for layer in edited.shown])
        preview = noise_picture(edited, noise, edited.edit.base_noise)
        return io.NodeOutput(
            edited,
            given_out(edited.composite.image),
            noise.squeeze(1),
            edited.learned_phrases.prompt,
            report,
            preview,
            ui=ui.PreviewImage(preview, cls=cls),
        )


class CollagePasteBack(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=BACK,
            display_name="Collage Paste Back",
            category=CATEGORY,
            description=(
                "Puts the original back wherever an edit had no noise, the same to the byte, so "
                "that nothing drifts however often you edit. The new picture is taken inside of "
                "the latent cells that could change, with a soft seam."
            ),
            search_aliases=["uncrop", "stitch", "restore", "keep pixels", "composite masked"],
            inputs=[
                io.Image.Input("original", tooltip="The picture from before the edit."),
                io.Image.Input("new", tooltip="What the sampler made of it, decoded."),
                feather_widget(
                    "Width of the seam in pixels. It lies inside of what changed; outside of it "
                    "nothing is mixed."
                ),
                CollageSocket.Input(
                    "collage",
                    optional=True,
                    tooltip="The collage from Collage Edit: it knows what had noise.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="The sampler's noise_map, or any mask: what is above 0 is taken from "
                    "the new picture, in whole latent cells of 8 x 8 pixels. Connected, it is used "
                    "instead of the collage; a halo of the sampler is in it alone.",
                ),
            ],
            outputs=[
                io.Image.Output("image", tooltip="The original with what changed."),
                io.Mask.Output(
                    "mask", tooltip="How far each pixel is the new one: 0 is the original's."
                ),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def execute(cls, original, new, feather, collage=None, mask=None) -> io.NodeOutput:
        new = checked_pictures(original, new)
        noise = region_noise(original, collage, mask)
        check_batches(original, new, noise)
        return io.NodeOutput(*paste_back(original, new, noise, feather))
