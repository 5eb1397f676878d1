"""The tokens of a text as ComfyUI's text encoders read it.

tokenize returns {encoder: chunks of (token, weight, word id)}. Word id 0 marks start, end and
padding; some encoders give none. A token is a number, or a vector of an embedding.

Host symbols:
    comfy.sd.CLIP: tokenize(text, return_word_ids)
    comfy.sd1_clip.SDTokenizer: tokenizer, decode(token_ids, *, skip_special_tokens)
    comfy.text_encoders.spiece_tokenizer.SPieceTokenizer: tokenizer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import torch

from ....collage_core.attention.spans import LEARNED
from ....collage_core.prompt.prefixes import Token
from ..models.families import tokenizer_of

SPACE = "\u2581"  # a token of white space alone, as sentencepiece writes it


def tokens_of(clip, text: str, encoder: str) -> list[Token]:
    """All tokens of one encoder: start, template, words, end and padding."""
    return [token for token, *_ in chain(*clip.tokenize(text)[encoder])]


def word_tokens(clip, text: str, encoders: Sequence[str]) -> dict[str, list[tuple[int, Token]]]:
    """Per encoder the tokens that are words or embeddings, with their positions from 0 on."""
    encoded = clip.tokenize(text, return_word_ids=True)
    return {
        encoder: [
            (place, token)
            for place, (token, _, word) in enumerate(chain(*encoded[encoder]))
            if word != 0
        ]
        for encoder in encoders
    }


def vectors_of(clip, text: str) -> dict[str, list[torch.Tensor]]:
    """Per encoder the vectors of embeddings among the tokens."""
    return {
        encoder: [token for token, *_ in chain(*chunks) if isinstance(token, torch.Tensor)]
        for encoder, chunks in clip.tokenize(text).items()
    }


def reads_weights(clip, encoder: str) -> bool:
    """Whether (x:1.2) is a weight to the encoder; if not, it is words."""
    return any(weight != 1 for _, weight, *_ in chain(*clip.tokenize("(a:1.5)")[encoder]))


def unknown_token(clip, encoder: str) -> int | None:
    """The token of all signs that the encoder does not know, if it has one."""
    own = tokenizer_of(clip, encoder).tokenizer
    if getattr(own, "unk_token_id", None) is not None:
        return own.unk_token_id
    unknown = getattr(getattr(own, "tokenizer", None), "unk_id", None)
    return None if unknown is None else unknown()


def spelling_of(
    clip, encoder: str, tokens: Mapping[int, Token], positions: Mapping[int, Sequence[int]]
) -> dict[int, str]:
    """The text of each token at the positions of the regions."""
    decode = tokenizer_of(clip, encoder).decode
    return {
        place: LEARNED
        if isinstance(tokens[place], torch.Tensor)
        else decode([tokens[place]], skip_special_tokens=False).strip() or SPACE
        for place in sorted(chain(*positions.values()))
    }
