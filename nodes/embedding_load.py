"""CollageEmbeddingLoad: gives a layer an embedding from a file."""

from __future__ import annotations

from dataclasses import replace

from comfy_api.latest import io

from ..collage_core.collage.layer import Embedding
from ..collage_core.errors import CollageError
from ..collage_core.storage.embedding_file import describe_vectors
from .host.files.embedding_files import embedding_names, file_hash, list_hash, named_embedding
from .sockets import CATEGORY, CollageLayerSocket

NODE = "CollageEmbeddingLoad"


class CollageEmbeddingLoad(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Collage Embedding Load",
            category=CATEGORY,
            description=(
                "Gives a layer an embedding (textual inversion) from models/embeddings. Collage "
                "Stack puts it before the layer's words. It reads safetensors files only; python3 "
                "run.py convert-embedding converts others."
            ),
            search_aliases=["textual inversion", "load embedding", "learned token"],
            inputs=[
                CollageLayerSocket.Input("layer", tooltip="The layer that gets the embedding."),
                io.Combo.Input(
                    "embedding",
                    options=embedding_names(),
                    tooltip="A file in models/embeddings, made for the model you sample with.",
                ),
            ],
            outputs=[
                CollageLayerSocket.Output("layer", tooltip="The layer with the embedding."),
                io.String.Output("embedding", tooltip="embedding:NAME, for use in prompts."),
            ],
        )

    @classmethod
    def validate_inputs(cls, embedding) -> None:
        if embedding is not None:  # else it comes over a link
            _read(embedding)

    @classmethod
    def fingerprint_inputs(cls, layer, embedding) -> str:  # noqa: ARG003  ComfyUI passes all inputs
        return list_hash() if embedding is None else file_hash(embedding)

    @classmethod
    def execute(cls, layer, embedding) -> io.NodeOutput:
        learned = _read(embedding)
        notes = (*layer.notes, *describe_vectors(learned.vectors))
        return io.NodeOutput(
            replace(layer, embedding=learned, notes=notes), f"embedding:{learned.name}"
        )


def _read(choice: str) -> Embedding:
    try:
        return named_embedding(choice)
    except CollageError as error:
        raise CollageError(f"{NODE}, input embedding: {error}") from error
