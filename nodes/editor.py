"""CollageEditor: a whole collage in one node; CollageKeepPicture: a picture for it."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..collage_core.errors import CollageError
from ..collage_core.files.document import NODE, read_document
from ..collage_core.imaging.pixels import clean_pixels
from .document_checks import check_document, files_key
from .document_collage import collage_of
from .host.files.embedding_files import list_hash
from .host.files.input_pictures import keep_picture
from .sockets import CATEGORY
from .stack_sockets import below_sockets, stack_output, stack_outputs

KEEP = "CollageKeepPicture"
DOCUMENT = "COLLAGE_DOCUMENT"  # the page's widget for it, and its row in kinds.py


class CollageEditor(io.ComfyNode):
    """Layers, places, words and strengths as one document, which the page edits on a canvas."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Collage Editor",
            category=CATEGORY,
            description="A whole collage, laid out by hand on a canvas: drop pictures on it, drag "
            "them about, and write what they are. It gives out what Collage Stack gives out.",
            search_aliases=["canvas", "layer editor", "compose", "collage", "layout", "photoshop"],
            has_intermediate_output=True,
            inputs=[
                io.String.Input(
                    "document",
                    default="",
                    socketless=True,
                    extra_dict={"widgetType": DOCUMENT},
                    tooltip="The collage as text (JSON). The canvas writes it; scripts can, too.",
                ),
                io.String.Input(
                    "prompt",
                    optional=True,
                    force_input=True,
                    tooltip="A scene prompt from another node, in place of the one that is "
                    "written in the editor.",
                ),
                *below_sockets(),
            ],
            outputs=stack_outputs(),
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, document, prompt="", **_: Any) -> str:
        if document is None:  # it comes over a link
            return list_hash()
        try:
            return files_key(read_document(document), prompt)
        except CollageError:
            return ""  # validate_inputs tells of it

    @classmethod
    def validate_inputs(cls, document, linked) -> None:
        if document is not None:
            check_document(read_document(document), linked)

    @classmethod
    def execute(cls, document, prompt=None, background_image=None, collage=None) -> io.NodeOutput:
        given = {"prompt": prompt, "background_image": background_image, "collage": collage}
        read = read_document(document)
        check_document(read, [name for name, value in given.items() if value is not None])
        words = read.prompt if prompt is None else prompt
        return stack_output(cls, *collage_of(read, words, background_image, collage))


class CollageKeepPicture(io.ComfyNode):
    """A picture of a graph becomes one that collage documents can name."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=KEEP,
            display_name="Collage Keep Picture",
            category=CATEGORY,
            description="Keeps a picture for Collage Editor: writes a PNG into input/collage, "
            "named by its content. The same picture is kept once.",
            search_aliases=["save cutout", "store picture", "input folder"],
            is_output_node=True,
            inputs=[
                io.Image.Input("image", tooltip="One picture. A fourth channel is its alpha."),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="White (1) is transparent, as in Load Image's MASK.",
                ),
            ],
            outputs=[
                io.String.Output("picture", tooltip="The name of the file for a collage document.")
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> float:
        return float("nan")  # always run: the file may have been removed

    @classmethod
    def execute(cls, image, mask=None) -> io.NodeOutput:
        colour, alpha, _ = clean_pixels(image, mask, KEEP)
        if len(colour) != 1:
            raise CollageError(
                f"{KEEP}, input image: {len(colour)} pictures arrived, and one is kept. Choose "
                "one with Image From Batch."
            )
        try:
            name = keep_picture(torch.cat([colour, alpha.unsqueeze(-1)], -1)[0])
        except CollageError as error:
            raise CollageError(f"{KEEP}: the picture {error}") from error
        return io.NodeOutput(name, ui={"picture": [name]})
