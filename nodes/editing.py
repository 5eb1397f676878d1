"""CollageEdit and CollagePasteBack: change one thing in a finished picture, keep the rest."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..collage_core.editing.edit import edit
from ..collage_core.editing.paste_back import NODE as BACK
from ..collage_core.editing.paste_back import (
    check_batches,
    checked_pictures,
    paste_back,
    region_noise,
)
from ..collage_core.editing.request import NODE, EditRequest
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
                "Changes a finished picture: the layers you name are redrawn, everything else is "
                "kept. The sampler starts from the picture instead of the layers' pixels. Repeat "
                "it as often as you like: result, edit, result. Collage Paste Back then restores "
                "the kept parts byte for byte."
            ),
            search_aliases=["inpaint", "regenerate layer", "refine", "iterate", "redraw"],
            has_intermediate_output=True,
            inputs=[
                CollageSocket.Input(
                    "collage", tooltip="The collage of the picture. You may have changed it since."
                ),
                io.Image.Input("image", tooltip="The finished picture, as large as the collage."),
                io.String.Input(
                    "layers",
                    multiline=True,
                    default="",
                    placeholder="3, salmon sushi",
                    tooltip="The layers to redraw: numbers as in the reports (1 is the lowest, 0 "
                    "the background) or texts, separated by commas or one per line.",
                ),
                share_widget(
                    "noise",
                    0.6,
                    "How freely they are redrawn, like the noise of a layer.",
                    display_mode=SLIDER,
                ),
                io.String.Input(
                    "phrase",
                    default="",
                    placeholder="tuna sushi",
                    dynamic_prompts=True,
                    tooltip="New words for the one layer you named. They replace its text, also "
                    "in the prompt, and its embedding is dropped. Empty keeps the words.",
                ),
                feather_widget(
                    "How softly the noise ends at the edges of the redrawn area, in pixels. It "
                    "replaces the sampler's feather.",
                    advanced=True,
                ),
                io.Boolean.Input(
                    "paste",
                    default=False,
                    tooltip="First paste the named layers' own pixels over the picture: for a "
                    "layer that was added, moved or replaced, or to start again from the collage. "
                    "Off: they are redrawn from the picture.",
                ),
                CollageSocket.Input(
                    "before",
                    optional=True,
                    tooltip="The collage that the picture was made from, if a layer was moved "
                    "since. The named layers are removed from their old places, which are filled "
                    "and redrawn too. Use it with paste.",
                ),
            ],
            outputs=[
                CollageSocket.Output("collage", tooltip="For the sampler and all other nodes."),
                io.Image.Output("image", tooltip="The picture that the sampler starts from."),
                io.Mask.Output(
                    "noise_map",
                    tooltip="The noise of every pixel: 0 is kept, 1 is drawn anew. The sampler "
                    "adds its halo to it.",
                ),
                io.String.Output("prompt", tooltip="The prompt with embeddings inserted."),
                io.String.Output("report", tooltip="What may change, as text."),
                io.Image.Output(
                    "noise_preview",
                    tooltip="The noise over the composite in grey, with a legend of the layers.",
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
        assert edited.edit is not None
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
                "Restores the original, byte for byte, wherever an edit had no noise, so that "
                "nothing drifts however often you edit. The new picture is used inside the latent "
                "cells that could change, with a soft seam."
            ),
            search_aliases=["uncrop", "stitch", "restore", "keep pixels", "composite masked"],
            inputs=[
                io.Image.Input("original", tooltip="The picture from before the edit."),
                io.Image.Input("new", tooltip="The sampler's result, decoded."),
                feather_widget(
                    "Width of the seam in pixels. The seam lies inside the changed area; outside "
                    "it nothing is mixed."
                ),
                CollageSocket.Input(
                    "collage",
                    optional=True,
                    tooltip="The collage from Collage Edit, which holds the noise of the edit.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="The sampler's noise_map, or any mask: above 0 the new picture is "
                    "used, in whole latent cells of 8 x 8 pixels. It is used instead of the "
                    "collage; only the noise_map includes the sampler's halo.",
                ),
            ],
            outputs=[
                io.Image.Output("image", tooltip="The original with the changed area."),
                io.Mask.Output(
                    "mask", tooltip="The share of the new picture in each pixel. 0 is the original."
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
