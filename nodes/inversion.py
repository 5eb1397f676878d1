"""LayerTextualInversion: learns an embedding with which the model paints one layer's object."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ..collage_core.inversion.settings import MAX_STEPS, NODE, PRESETS, preset_settings
from .host.files.embedding_files import check_written
from .host.inversion.run import learn
from .host.inversion.store import unwritten_mark
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
                "Learns what no word can say: the look of this very object. The layer carries "
                "the learned words from here on, and CollageStack puts them before its phrase. "
                "What was learned once is found again in models/embeddings."
            ),
            search_aliases=["textual inversion", "train embedding", "learn object", "identity"],
            inputs=[
                io.Model.Input("model", tooltip="The SD1.x, SD2.x or SDXL model to paint with."),
                io.Clip.Input("clip", tooltip="The text encoder made for the model."),
                io.Vae.Input("vae", tooltip="The VAE made for the model."),
                CollageLayerSocket.Input("layer", tooltip="The object to learn."),
                io.Combo.Input(
                    "preset",
                    options=list(PRESETS),
                    default="default",
                    tooltip="preview 40 steps, default 80, best 250; paper: the method of the "
                    "paper, 250 steps.",
                ),
                io.Int.Input(
                    "steps",
                    default=0,
                    min=0,
                    max=MAX_STEPS,
                    step=1,
                    advanced=True,
                    tooltip="Steps of training; 0 takes the preset's.",
                ),
                seed_widget("The random seed of the training.", control=False, advanced=True),
                CollageSocket.Input(
                    "collage",
                    optional=True,
                    tooltip="The stack that the object will stand in: it is learned in these "
                    "surroundings and in this prompt too.",
                ),
            ],
            outputs=[
                CollageLayerSocket.Output("layer", tooltip="The layer with its learned words."),
                io.String.Output("embedding", tooltip="embedding:NAME, as prompts write it."),
                io.Image.Output(
                    "loss_curve",
                    tooltip="Blue: the loss on a fixed set; red: the same without the learned "
                    "words; grey: single steps.",
                ),
                io.String.Output("report", tooltip="What was gained, in how many steps."),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> str:
        return unwritten_mark()

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
