"""A CLIP that reads the `embedding:NAME` of prompts from memory instead of from files.

A tokenizer's _try_get_embedding returns (vectors or None, name, the rest of the text), and is
called only where embedding_directory is not None.

Host symbols:
    comfy.sd.CLIP: clone(), tokenizer
    comfy.sd1_clip.SD1Tokenizer: "clip_{}"
    comfy.sdxl_clip.SDXLTokenizer: clip_l, clip_g
    comfy.sd1_clip.SDTokenizer: embedding_directory, _try_get_embedding(embedding_name)
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
    for encoder in ENCODERS:
        shared = getattr(tokenizer, f"clip_{encoder}", None)
        if shared is None:
            continue
        own = copy.copy(shared)
        own.embedding_directory = shared.embedding_directory or []
        vectors = {one.name: one.vectors[encoder] for one in embeddings if encoder in one.vectors}
        own._try_get_embedding = partial(  # noqa: SLF001
            _look_up, vectors, getattr(own, "_try_get_embedding", None)
        )
        _check_reading(own)
        setattr(copied, f"clip_{encoder}", own)
    return copied


def _check_reading(tokenizer) -> None:
    """Raise CollageError where ComfyUI does not look embeddings up with `_look_up`."""
    probe = torch.ones(2, 1)
    asked = copy.copy(tokenizer)
    asked._try_get_embedding = partial(_look_up, {PROBE: probe}, None)  # noqa: SLF001
    try:
        chunks = asked.tokenize_with_weights(f"embedding:{PROBE} a")
        read = [t for chunk in chunks for t, *_ in chunk if isinstance(t, torch.Tensor)]
    except (AttributeError, TypeError, ValueError):
        read = []
    if not read or not torch.equal(torch.stack(read), probe):
        raise CollageError(
            "The learned embeddings of layers cannot be given to this CLIP: its tokenizer reads "
            "`embedding:NAME` in another way than that of ComfyUI 0.30.0. Update this pack, or "
            "take the embeddings off the layers and write their `embedding:NAME` into the prompt."
        )


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


def _look_up(vectors: Vectors, in_files, text: str):
    """Returns what ComfyUI's own look-up does; a name may be followed by commas."""
    name = embedding_name(text)
    if name not in vectors:
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
