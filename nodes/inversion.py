"""LayerTextualInversion: learns an embedding with which the model paints one layer's object."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ..collage_core.inversion.settings import MAX_STEPS, NODE, PRESETS, preset_settings
from .host.files.embedding_files import check_written
from .host.inversion.run import learn
from .host.inversion.store import files_mark
from .host.inversion.task import Task
from .sockets import CATEGORY, CollageLayerSocket, CollageSocket
from .widgets import seed_widget


class LayerTextualInversion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Layer Textual Inversion",
            category=CATEGORY,
            description=(
                "Learns what words cannot describe: the appearance of this very object. The layer "
                "then carries the learned embedding, and Collage Stack puts it before the layer's "
                "words. Finished trainings are kept in models/embeddings and reused."
            ),
            search_aliases=["textual inversion", "train embedding", "learn object", "identity"],
            inputs=[
                io.Model.Input("model", tooltip="The SD1.x, SD2.x or SDXL model to paint with."),
                io.Clip.Input("clip", tooltip="The model's text encoder."),
                io.Vae.Input("vae", tooltip="The model's VAE."),
                CollageLayerSocket.Input("layer", tooltip="The object to learn."),
                io.Combo.Input(
                    "preset",
                    options=list(PRESETS),
                    default="default",
                    tooltip="preview: 40 steps. default: 80. best: 250. paper: the method of the "
                    "paper, 250 steps.",
                ),
                io.Int.Input(
                    "steps",
                    default=0,
                    min=0,
                    max=MAX_STEPS,
                    step=1,
                    advanced=True,
                    tooltip="The number of training steps. 0 uses the preset's number.",
                ),
                seed_widget("The random seed of the training.", control=False, advanced=True),
                CollageSocket.Input(
                    "collage",
                    optional=True,
                    tooltip="The collage in which the object will stand. The embedding is then "
                    "also trained in those surroundings and in that prompt.",
                ),
            ],
            outputs=[
                CollageLayerSocket.Output("layer", tooltip="The layer with its learned embedding."),
                io.String.Output("embedding", tooltip="embedding:NAME, for use in prompts."),
                io.Image.Output(
                    "loss_curve",
                    tooltip="Blue: the loss on a fixed set. Red: the same loss without the "
                    "embedding. Grey: single steps.",
                ),
                io.String.Output("report", tooltip="How much was gained, and in how many steps."),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> str:
        return files_mark()

    @classmethod
    def execute(cls, model, clip, vae, layer, preset, steps, seed, collage=None) -> io.NodeOutput:
        settings = preset_settings(preset, steps)
        task = Task(
            model=model,
            clip=clip,
            vae=vae,
            layer=layer,
            collage=collage,
            settings=settings,
            seed=seed,
        )
        embedding, curve, report = learn(task)
        check_written(cls, 1, [embedding])
        layer = replace(layer, embedding=embedding)
        return io.NodeOutput(layer, f"embedding:{embedding.name}", curve, report)
