"""Prompts whose `embedding:NAME` are read from memory instead of from files.

A tokenizer's _try_get_embedding answers (vectors or None, name, the rest of the text), and is asked
only where embedding_directory is not None.

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
from .text_encoder import ENCODERS

Vectors = dict[str, torch.Tensor]
PROBE = "collage-probe"


def knowing(tokenizer, words: Iterable[Embedding]):
    """A copy of a CLIP's tokenizer that knows these words; for all others it asks the files.

    Raises CollageError where the host would not ask it.
    """
    words = list(words)
    copied = copy.copy(tokenizer)
    for encoder in ENCODERS:
        shared = getattr(tokenizer, f"clip_{encoder}", None)
        if shared is None:
            continue
        own = copy.copy(shared)
        own.embedding_directory = shared.embedding_directory or []
        vectors = {word.name: word.vectors[encoder] for word in words if encoder in word.vectors}
        own._try_get_embedding = partial(  # noqa: SLF001
            _look_up, vectors, getattr(own, "_try_get_embedding", None)
        )
        _check_reading(own)
        setattr(copied, f"clip_{encoder}", own)
    return copied


def _check_reading(tokenizer) -> None:
    """Refuse a host that does not look embeddings up in the way that was taken over here."""
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


def with_words_in_memory(clip: Any, words: Iterable[Embedding | None]) -> Any:
    """A clone of the CLIP that knows the words layers carry, or the CLIP itself without any.

    So a deleted or replaced file changes no picture.
    """
    carried = [word for word in words if word is not None]
    if clip is None or not carried:
        return clip
    clone = clip.clone()
    clone.tokenizer = knowing(clip.tokenizer, carried)
    return clone


def _look_up(vectors: Vectors, in_files, text: str):
    """What the host's own look-up gives, a name that is followed by commas included."""
    name = embedding_name(text)
    if name not in vectors:
        return in_files(text)
    return vectors[name], name, " ".join(text[len(name) :].split())


def markers(name: str, count: int) -> Embedding:
    """A word of `count` places to be filled with vectors later, whatever their width."""
    places = torch.arange(count, dtype=torch.float32).unsqueeze(1)
    return Embedding(name=name, vectors=dict.fromkeys(ENCODERS, places))


def filled(tokens: Mapping, vectors: Vectors) -> dict:
    """The tokens with {encoder: [n, width]} in the places of `markers`."""
    return {
        encoder: [
            [(vectors[encoder][int(t)] if _is_marker(t) else t, weight) for t, weight in chunk]
            for chunk in chunks
        ]
        for encoder, chunks in tokens.items()
    }


def _is_marker(token) -> bool:
    return isinstance(token, torch.Tensor) and token.shape == (1,)
