"""CollageOpenFile and CollageSaveFile: a whole collage from one file and into one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from comfy_api.latest import io

from ..collage_core.collage.collage import Collage
from ..collage_core.editing.result_picture import result_picture
from ..collage_core.errors import CollageError, quoted
from ..collage_core.files.collage_file import SUFFIX
from ..collage_core.storage.content_key import content_key
from .document_checks import check_document
from .document_collage import collage_of
from .host.files.embedding_files import list_hash
from .host.files.input_files import file_key, file_path, listed_files
from .host.files.input_pictures import small_png
from .host.files.output_files import save_output
from .opened_file import NODE as OPEN
from .opened_file import SUFFIXES, open_file
from .psd_sheets import psd_file
from .saved_file import NODE as SAVE
from .saved_file import Saved, saved
from .sockets import CATEGORY, CollageSocket
from .stack_sockets import stack_output, stack_outputs

PSD = ".psd"
FORMATS = {"collage": SUFFIX, "psd": PSD}
PREVIEW = 1024  # pixels of the longer side


class CollageOpenFile(io.ComfyNode):
    """A collage from a file, with Collage Stack's outputs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=OPEN,
            display_name="Collage Open File",
            category=CATEGORY,
            description="Opens a PSD, or a collage that Collage Save File has written, and gives "
            "out what Collage Stack gives out. The layers of a PSD get their names as words.",
            search_aliases=["load psd", "photoshop", "import", "load collage", "collage.zip"],
            is_output_node=True,
            inputs=[
                io.Combo.Input(
                    "file",
                    options=listed_files(SUFFIXES),
                    tooltip="A file of ComfyUI's input folder: NAME.collage.zip, PSD or PSB.",
                )
            ],
            outputs=stack_outputs(),
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, file: str, **_: Any) -> str:
        try:
            return content_key(file=file_key(file_path(file, SUFFIXES)), looks=list_hash())
        except (CollageError, OSError, TypeError):  # None comes over a link
            return list_hash()

    @classmethod
    def validate_inputs(cls, file) -> None:
        if file is not None:
            _found(file)

    @classmethod
    def execute(cls, file) -> io.NodeOutput:
        _found(file)
        opened = open_file(file)
        told = {"document": [opened.document.text], "notes": [*opened.notes]}
        try:
            check_document(opened.document, [], f"{OPEN}, input file", OPEN)
            words = opened.document.prompt
            made = collage_of(opened.document, words, node=OPEN, notes=opened.notes)
        except CollageError as error:  # the page opens it all the same, and mends it there
            told["notes"].append(str(error))
            nothing = [None] * len(stack_outputs())
            return io.NodeOutput(*nothing, ui=told, block_execution=str(error))
        output: Any = stack_output(cls, *made)
        return io.NodeOutput(*output.args, ui={**output.ui, **told})


def _found(file: str) -> None:
    try:
        file_path(file, SUFFIXES)
    except CollageError as error:
        raise CollageError(f"{OPEN}, input file: {quoted(file)} {error}") from error


def _one(pictures: torch.Tensor) -> torch.Tensor:
    if len(pictures) > 1:
        raise CollageError(
            f"{SAVE}, input image: {len(pictures)} pictures arrived, and a file holds one. Choose "
            "one with Image From Batch."
        )
    return pictures


def _portable(collage: Collage, picture: torch.Tensor | None) -> Saved:
    shown = collage.composite.image if picture is None else picture
    return replace(saved(collage), preview=small_png(shown[0], PREVIEW))


class CollageSaveFile(io.ComfyNode):
    """A collage as one file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=SAVE,
            display_name="Collage Save File",
            category=CATEGORY,
            description="Writes a collage with all of its pictures into one file, to pass it on "
            "or to keep it: whoever opens it paints the same picture. Or writes a PSD for painting "
            "programs, with every layer in its place.",
            search_aliases=[
                "export",
                "save psd",
                "photoshop",
                "save collage",
                "share",
                "collage.zip",
            ],
            is_output_node=True,
            inputs=[
                CollageSocket.Input("collage", tooltip="The collage that is saved."),
                io.String.Input(
                    "filename_prefix",
                    default="collage/collage",
                    tooltip="Folder and beginning of the file's name in ComfyUI's output folder.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(FORMATS),
                    default="collage",
                    tooltip="collage: NAME.collage.zip, for Collage Editor and Collage Open File. "
                    "psd: layers for painting programs, without noise and other strengths.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="The picture that was made from it. In a PSD it lies on top, and once "
                    "more cut into the layers; otherwise it is the preview.",
                ),
            ],
            outputs=[
                io.String.Output("file", tooltip="The file's name in ComfyUI's output folder.")
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> float:
        return float("nan")  # every run writes a file

    @classmethod
    def execute(cls, collage, filename_prefix, format, image=None) -> io.NodeOutput:  # noqa: A002
        picture = None if image is None else _one(result_picture(image, collage, SAVE)[0])
        size, ending = (collage.width, collage.height), FORMATS[format]
        one = psd_file(collage, picture) if ending == PSD else _portable(collage, picture)
        file = save_output(SAVE, filename_prefix, ending, size, one.write)
        return io.NodeOutput(file.path, ui={"files": [file.row], "notes": [*one.notes]})
