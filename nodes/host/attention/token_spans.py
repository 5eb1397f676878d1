"""The positions of each layer's words among the tokens of ComfyUI's text encoders.

The pieces of a prompt add up to what CLIP reads; all other encoders see a prompt as a whole.

Host symbols:
    comfy.sd.CLIP: cond_stage_model
    comfy.text_encoders.sd3_clip.SD3ClipModel: clip_l, clip_g, t5xxl
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from ....collage_core.attention.bias import TokenRegion
from ....collage_core.attention.spans import TokenSpans
from ....collage_core.errors import CollageError, quoted
from ....collage_core.prompt.phrases import Phrases, describe
from ....collage_core.prompt.pieces import prompt_pieces, region_positions
from ....collage_core.prompt.prefixes import (
    CutOffError,
    Prefixes,
    UnclearBorderError,
    region_tokens,
    remedy,
    same_token,
)
from ....collage_core.prompt.syntax import Span, weight_texts
from ..models.families import ENCODERS, Text, encoders_of
from .prompt_embeddings import check_embeddings
from .tokens import SPACE, reads_weights, spelling_of, tokens_of, unknown_token, word_tokens

NODE = "MaskedCrossAttentionPatch"
ENGLISH = (*ENCODERS, "t5xxl", "pile_t5xl")  # the others were trained on many languages


def token_spans(clip, phrases: Phrases, text: Text | None = None) -> TokenSpans:
    """Find the tokens of every region of the prompt.

    text: the encoders that make the model's text features, None for a UNet's. Positions are counted
    and never guessed: raises CollageError where the tokenizer does not tell a phrase from what
    stands next to it.
    """
    text = Text("", (), (encoders_of(clip, NODE),)) if text is None else text
    check_embeddings(clip, phrases.prompt, text)
    found = None
    for encoders in (part for part in text.parts if _is_loaded(clip, part)):
        find = _by_pieces if set(encoders) <= set(ENCODERS) else _by_prefixes
        own = find(clip, phrases, encoders)
        found = own if found is None else own.behind(found)
    if found is None:
        raise CollageError(
            f"{NODE}, input clip: none of its text encoders for {text.family} is loaded, so there "
            "are no words to place. Load the CLIP with its text encoders."
        )
    return found


def in_features(spans: TokenSpans, length: int, text: Text) -> TokenSpans:
    """The same words among `length` text features; CollageError where their place is not known."""
    if text.adapter:
        return spans
    positions = list(chain(*(region.tokens for region in spans.regions)))
    if not text.family:
        if max(positions, default=0) >= length:
            raise _cut_off(length, f"words of a layer stand at token {max(positions)}")
        return replace(spans, length=length)
    moved = length - spans.length + text.cut
    if moved > 0 or (moved and len(spans.parts) > 1) or min(positions, default=0) + moved < 0:
        raise CollageError(
            f"{NODE}, input clip: it gives {length} text features for {spans.length} tokens of "
            "the prompt, so the words of a layer have no known place in them. Connect the CLIP "
            "as ComfyUI loads it, without nodes that change its features."
        )
    return replace(spans.moved(moved), length=length)


def _is_loaded(clip, encoders: tuple[str, ...]) -> bool:
    """Whether the CLIP has one of these encoders: SD3 is often used without T5."""
    made = getattr(clip, "cond_stage_model", None)
    names = [name for one in encoders for name in (f"clip_{one}", one) if hasattr(made, name)]
    return not names or any(getattr(made, name) is not None for name in names)


def _by_pieces(clip, phrases: Phrases, encoders: tuple[str, ...]) -> TokenSpans:
    """The tokens of CLIP: every piece of the prompt is tokenised alone, and they must add up."""
    whole = word_tokens(clip, phrases.prompt, encoders)
    pieces = prompt_pieces(phrases)
    tokens = [word_tokens(clip, piece.text, encoders) for piece in pieces]
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
    encoder = next(iter(whole))
    spelling = spelling_of(clip, encoder, dict(whole[encoder]), first)
    return TokenSpans(
        _regions(phrases, first), spelling, len(tokens_of(clip, phrases.prompt, encoder))
    )


def _by_prefixes(clip, phrases: Phrases, encoders: tuple[str, ...]) -> TokenSpans:
    """The tokens of any other encoder, which are those between the prefixes of the prompt."""
    (encoder,) = encoders
    weights = reads_weights(clip, encoder)
    prefixes = Prefixes(phrases.prompt, lambda text: tokens_of(clip, text, encoder), weights)
    _check_spaces(prefixes, encoder)
    try:
        positions = region_tokens(phrases, prefixes)
    except UnclearBorderError as error:
        raise _unclear(phrases.prompt, error.span, remedy=remedy(prefixes, error.span)) from error
    except CutOffError as error:
        words = f"{quoted(phrases.prompt[slice(*error.span)])} stands behind them"
        raise _cut_off(len(prefixes.whole), words) from error
    tokens = dict(enumerate(prefixes.whole))
    spelling = spelling_of(clip, encoder, tokens, positions)
    _check_known(clip, encoder, phrases, tokens, positions)
    idle = () if weights else tuple(weight_texts(phrases.prompt))
    regions, english = _regions(phrases, positions), encoder in ENGLISH
    return TokenSpans(regions, spelling, len(tokens), english=english, idle_weights=idle)


def _regions(phrases: Phrases, positions: dict[int, tuple[int, ...]]) -> tuple[TokenRegion, ...]:
    return tuple(
        TokenRegion(r.layers, positions[number]) for number, r in enumerate(phrases.regions)
    )


def _check_sum(prompt: str, pieces, parts, found) -> None:
    """Refuse a prompt whose pieces give other tokens than the whole; name the first such piece."""
    rest = iter(found)
    for piece, part in zip(pieces, parts, strict=True):
        same = all(same_token(token, next(rest, (0, None))[1]) for _, token in part)
        if not same or (piece.text.strip() and not part):
            raise _unclear(prompt, piece.span, piece.text.strip())


REMEDIES = {
    "space": "Put a space around {}.",
    "quotes": "Take the quotation marks around {} away.",
    "": "Write other words in place of {} or beside it.",
}


def _unclear(prompt: str, span: Span, words: str = "", remedy: str = "space") -> CollageError:
    return CollageError(
        f"{NODE}, input collage: the text encoder does not tell the words at {describe(*span)} of "
        f"the prompt {quoted(prompt)} from the signs next to them. "
        + REMEDIES[remedy].format(quoted(words or prompt[slice(*span)]))
    )


def _cut_off(kept: int, words: str) -> CollageError:
    return CollageError(
        f"{NODE}, input collage: the text encoder keeps {kept} tokens, and {words}. Shorten the "
        "prompt."
    )


def _check_spaces(prefixes: Prefixes, encoder: str) -> None:
    if prefixes.tokenise("red fox") == prefixes.tokenise("redfox"):
        raise CollageError(
            f"{NODE}, input clip: its text encoder {encoder} runs words together, as that of Llama "
            "does with transformers 5, so the model would read other words. Install transformers 4."
        )


def _check_known(clip, encoder: str, phrases: Phrases, tokens, positions) -> None:
    """Refuse words that are nothing but unknown tokens, which all look the same to the model."""
    unknown = unknown_token(clip, encoder)
    for number, region in enumerate(phrases.regions):
        spelt = spelling_of(clip, encoder, tokens, {0: positions[number]})
        seen = [tokens[place] for place, text in spelt.items() if text != SPACE]
        if all(same_token(token, unknown) for token in seen):
            place = region.places[0]
            raise CollageError(
                f"{NODE}, input collage: the text encoder {encoder} knows no sign of "
                f"{quoted(phrases.prompt[place.start : place.end])} at "
                f"{describe(place.start, place.end)} of the prompt. Write it in English."
            )
