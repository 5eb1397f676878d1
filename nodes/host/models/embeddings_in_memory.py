"""A CLIP that reads the `embedding:NAME` of prompts from memory instead of from files.

A tokenizer's _try_get_embedding returns (vectors or None, name, the rest of the text), and is
called only where embedding_directory is not None.

Host symbols:
    comfy.sd.CLIP: clone(), tokenizer
    comfy.sd1_clip.SD1Tokenizer: "clip_{}"
    comfy.sdxl_clip.SDXLTokenizer: clip_l, clip_g
    comfy.sd1_clip.SDTokenizer: embedding_directory, embedding_size
    comfy.sd1_clip.SDTokenizer: _try_get_embedding(embedding_name)
    comfy.sd1_clip.SDTokenizer: tokenize_with_weights(text, return_word_ids)
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch

from ....collage_core.collage.layer import Embedding
from ....collage_core.errors import CollageError
from ....collage_core.prompt.syntax import embedding_name
from ....collage_core.storage.embedding_file import Vectors
from .families import ENCODERS

PROBE = "collage-probe"


def tokenizer_with(tokenizer, embeddings: Iterable[Embedding]):
    """A copy of a CLIP's tokenizer that knows these embeddings and reads all others from files.

    Raises CollageError where ComfyUI would not ask it for them.
    """
    embeddings = list(embeddings)
    copied = copy.copy(tokenizer)
    for name, shared in vars(tokenizer).items():
        encoder = name.removeprefix("clip_")
        if not hasattr(shared, "embedding_directory"):
            continue
        if encoder not in ENCODERS and not reads_embeddings(shared):
            continue  # embedding:NAME is only words there, and is refused as such
        own = copy.copy(shared)
        own.embedding_directory = shared.embedding_directory or []
        own._try_get_embedding = partial(  # noqa: SLF001
            _look_up,
            {one.name: _of(one, encoder, own.embedding_size) for one in embeddings},
            getattr(own, "_try_get_embedding", None),
        )
        if not _looks_up(own):
            raise CollageError(
                "The learned embeddings of layers cannot be given to this CLIP: its tokenizer "
                "reads `embedding:NAME` in another way than that of ComfyUI 0.30.0. Update this "
                "pack, or take the embeddings off the layers and write their `embedding:NAME` into "
                "the prompt."
            )
        setattr(copied, name, own)
    return copied


def _of(embedding: Embedding, encoder: str, width: int) -> torch.Tensor | None:
    """The vectors for an encoder; files for others than CLIP rarely name it."""
    if encoder in ENCODERS:
        return embedding.vectors.get(encoder)
    tables = embedding.vectors.values()
    return next((table for table in tables if table.shape[1] == width), None)


def reads_embeddings(tokenizer) -> bool:
    """Whether a tokenizer was made to read embedding:NAME: ComfyUI gives some no folder."""
    return tokenizer.embedding_directory is not None and _looks_up(tokenizer)


def _looks_up(tokenizer) -> bool:
    """Whether the tokenizer asks `_try_get_embedding` for the vectors of embedding:NAME."""
    probe = torch.ones(2, 1)
    asked = copy.copy(tokenizer)
    asked._try_get_embedding = partial(_look_up, {PROBE: probe}, None)  # noqa: SLF001
    try:
        chunks = asked.tokenize_with_weights(f"embedding:{PROBE} a")
        read = [t for chunk in chunks for t, *_ in chunk if isinstance(t, torch.Tensor)]
    except (AttributeError, TypeError, ValueError):
        read = []
    return bool(read) and torch.equal(torch.stack(read), probe)


def with_embeddings_in_memory(clip: Any, embeddings: Iterable[Embedding | None]) -> Any:
    """A clone of the CLIP that knows the embeddings of layers; without any, the CLIP itself.

    So a picture stays the same when the file of an embedding is deleted or replaced.
    """
    carried = [one for one in embeddings if one is not None]
    if clip is None or not carried:
        return clip
    clone = clip.clone()
    clone.tokenizer = tokenizer_with(clip.tokenizer, carried)
    return clone


def _look_up(vectors: Mapping[str, torch.Tensor | None], in_files, text: str):
    """Returns what ComfyUI's own look-up does; a name may be followed by commas."""
    name = embedding_name(text)
    if vectors.get(name) is None:
        return in_files(text)
    return vectors[name], name, " ".join(text[len(name) :].split())


def placeholder_tokens(name: str, count: int) -> Embedding:
    """An embedding of `count` placeholders [1], for vectors of any width.

    placeholder_tokens("x", 2).vectors["l"]  # [[0.], [1.]]
    """
    places = torch.arange(count, dtype=torch.float32).unsqueeze(1)
    return Embedding(name=name, vectors=dict.fromkeys(ENCODERS, places))


def fill_placeholders(tokens: Mapping, vectors: Vectors) -> dict:
    """The tokens with the vectors {encoder: [n, width]} in place of `placeholder_tokens`."""
    return {
        encoder: [
            [(vectors[encoder][int(t)] if _is_placeholder(t) else t, weight) for t, weight in chunk]
            for chunk in chunks
        ]
        for encoder, chunks in tokens.items()
    }


def _is_placeholder(token) -> bool:
    return isinstance(token, torch.Tensor) and token.shape == (1,)
