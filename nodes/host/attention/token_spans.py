"""The positions of each layer's words among the tokens of ComfyUI's text encoders.

tokenize returns {encoder: chunks of (token, weight, word id)}. Word id 0 marks start, end and
padding. A token is a number, or a vector of an embedding.

Host symbols:
    comfy.sd.CLIP: tokenize(text, return_word_ids), tokenizer
    comfy.sd1_clip.SD1Tokenizer: "clip_{}"
    comfy.sd1_clip.SDTokenizer: embedding_size, decode(token_ids, *, skip_special_tokens)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import torch

from ....collage_core.attention.bias import TokenRegion
from ....collage_core.errors import CollageError, quoted
from ....collage_core.prompt.phrases import Phrases, describe
from ....collage_core.prompt.pieces import named_embeddings, prompt_pieces, region_positions
from ..models.families import encoders_of

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


@dataclass(frozen=True)
class TokenSpans:
    """The regions of a prompt with the positions of their tokens, and the text of each token.

    token_spans(clip, find_phrases("a red fox", [(1, "fox")]))
    TokenSpans((TokenRegion((0,), (3,)),), {3: "fox"})
    """

    regions: tuple[TokenRegion, ...]
    spelling: dict[int, str]


def token_spans(clip, phrases: Phrases) -> TokenSpans:
    """Find the tokens of every region of the prompt.

    Every piece of the prompt is tokenised alone, and the pieces must add up to the tokens of the
    whole prompt, so that positions are counted and never guessed. Raises CollageError where they
    do not.
    """
    encoders_of(clip, NODE)
    for name in named_embeddings(phrases.prompt):
        _check_embedding(clip, name)
    whole = _word_tokens(clip, phrases.prompt)
    pieces = prompt_pieces(phrases)
    tokens = [_word_tokens(clip, piece.text) for piece in pieces]
    positions = {}
    for encoder, found in whole.items():
        parts = [piece[encoder] for piece in tokens]
        _check_sum(phrases.prompt, pieces, parts, found)
        counts = [len(part) for part in parts]
        positions[encoder] = region_positions(pieces, counts, [place for place, _ in found])
    first, *others = positions.values()
    if any(other != first for other in others):
        raise CollageError(
            f"{NODE}, input clip: the two text encoders split the prompt "
            f"{quoted(phrases.prompt)} differently. Use embeddings made for both encoders with "
            "the same number of vectors."
        )
    regions = tuple(
        TokenRegion(region.layers, first[number]) for number, region in enumerate(phrases.regions)
    )
    return TokenSpans(regions, _spelling(clip, whole, set(chain(*first.values()))))


def _word_tokens(clip, text: str) -> dict[str, list[tuple[int, int | torch.Tensor]]]:
    """Per encoder the tokens that are words or embeddings, with their positions from 0 on."""
    encoded = clip.tokenize(text, return_word_ids=True)
    return {
        encoder: [
            (place, token)
            for place, (token, _, word) in enumerate(chain.from_iterable(chunks))
            if word != 0
        ]
        for encoder, chunks in encoded.items()
    }


def _check_sum(prompt: str, pieces, parts, found) -> None:
    """Refuse a prompt whose pieces give other tokens than the whole; name the first such piece."""
    rest = iter(found)
    for piece, part in zip(pieces, parts, strict=True):
        same = all(_same(token, next(rest, (0, None))[1]) for _, token in part)
        if not same or (piece.text.strip() and not part):
            raise CollageError(
                f"{NODE}, input collage: the text encoder does not tell the words at "
                f"{describe(*piece.span)} of the prompt {quoted(prompt)} from the signs next "
                f"to them. Put a space around {quoted(piece.text.strip())}."
            )


def _same(token: int | torch.Tensor, other: int | torch.Tensor | None) -> bool:
    if isinstance(token, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(token, other)
    if isinstance(token, torch.Tensor) or isinstance(other, torch.Tensor):
        return False
    return token == other


def _check_embedding(clip, name: str) -> None:
    """Refuse an embedding that ComfyUI would leave out: every later word would move."""
    for encoder, vectors in _vectors(clip, name).items():
        width = getattr(clip.tokenizer, f"clip_{encoder}").embedding_size
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
        tokens = _word_tokens(clip, f"embedding:{name}")
    except UNREADABLE as error:
        raise _refusal(name, "could not be read. Put a sound file into") from error
    return {
        encoder: [token for _, token in found if isinstance(token, torch.Tensor)]
        for encoder, found in tokens.items()
    }


def _refusal(name: str, problem: str) -> CollageError:
    return CollageError(
        f"{NODE}, input collage: {quoted(f'embedding:{name}')} in the prompt {problem} "
        "models/embeddings, or take the word out of the prompt."
    )


def _spelling(clip, whole, wanted: set[int]) -> dict[int, str]:
    """The text of each of the wanted tokens."""
    encoder, tokens = next(iter(whole.items()))
    decode = getattr(clip.tokenizer, f"clip_{encoder}").decode
    return {
        place: "learned"
        if isinstance(token, torch.Tensor)
        else decode([token], skip_special_tokens=False)
        for place, token in tokens
        if place in wanted
    }
