"""Every `embedding:NAME` of a prompt is read, or refused.

ComfyUI leaves out files that it cannot read, and some text encoders read the name as words.

Host symbols:
    comfy.sd1_clip.SDTokenizer: embedding_size, embedding_directory
"""

from __future__ import annotations

from itertools import chain

import torch

from ....collage_core.errors import CollageError, quoted
from ....collage_core.prompt.pieces import named_embeddings
from ..models.embeddings_in_memory import reads_embeddings
from ..models.families import Text, tokenizer_of
from .tokens import vectors_of

NODE = "MaskedCrossAttentionPatch"
UNREADABLE = (  # what ComfyUI's reader raises when a file holds no table of vectors
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)


def check_embeddings(clip, prompt: str, text: Text) -> None:
    """Refuse an embedding that ComfyUI would leave out or read as words: others would move."""
    names, counts = named_embeddings(prompt), dict.fromkeys(chain(*text.parts), 0)
    for name in names:
        _check_family(clip, name, text)
        vectors = _vectors(clip, name)
        for encoder, found in vectors.items():
            if encoder in counts:
                _check_vectors(clip, name, encoder, found)
                counts[encoder] += len(found)
    if not text.family or not names:
        return
    read = vectors_of(clip, prompt)
    for encoder, count in counts.items():
        if len(read[encoder]) != count:
            problem = f"is read as words by the text encoder {encoder}, not as an embedding. Put a "
            raise _refusal(
                names[0], problem + "space before it, without parentheses or weights, in"
            )


def _check_family(clip, name: str, text: Text) -> None:
    if text.adapter:
        problem = f"cannot be used: the text encoder of {text.family} takes no vectors. Use a"
        raise _refusal(name, problem + " model that reads embeddings from")
    for encoder in chain(*text.parts) if text.family else ():
        if not reads_embeddings(tokenizer_of(clip, encoder)):
            problem = f"is only words to the text encoder of {text.family}. Use a model that reads"
            raise _refusal(name, problem + " embeddings from")


def _check_vectors(clip, name: str, encoder: str, vectors: list[torch.Tensor]) -> None:
    width = tokenizer_of(clip, encoder).embedding_size
    if not vectors:
        problem = f"was not found for the text encoder {encoder}, or could not be read. "
        raise _refusal(name, problem + "Put a sound file into")
    if any(vector.shape != (width,) for vector in vectors):
        shape = [len(vectors), *vectors[0].shape]
        problem = f"has the shape {shape}; the text encoder {encoder} needs {width} numbers "
        raise _refusal(name, problem + "a vector. Put one made for this model into")
    if not all(vector.isfinite().all() and vector.any() for vector in vectors):
        problem = "holds a vector of NaN, infinity or nothing but zeros. "
        raise _refusal(name, problem + "Put a sound file into")


def _vectors(clip, name: str) -> dict[str, list[torch.Tensor]]:
    """The vectors that ComfyUI reads for `embedding:NAME`, per encoder."""
    try:
        return vectors_of(
            clip, f" embedding:{name}"
        )  # a template may leave no space before a prompt
    except UNREADABLE as error:
        raise _refusal(name, "could not be read. Put a sound file into") from error


def _refusal(name: str, problem: str) -> CollageError:
    return CollageError(
        f"{NODE}, input collage: {quoted(f'embedding:{name}')} in the prompt {problem} "
        "models/embeddings, or take the word out of the prompt."
    )
