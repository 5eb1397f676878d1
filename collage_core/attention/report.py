"""The report of the attention patch, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..collage.collage import Collage
from ..collage.report import percent
from ..errors import quoted
from ..storage.embedding_file import MANY_VECTORS
from .bias import AttentionBias, TokenRegion, last_fraction
from .spans import LEARNED, TokenSpans

FEW_TOKENS = 8


def describe_bias(
    collage: Collage,
    bias: AttentionBias,
    spans: TokenSpans,
    crop: str = "",
    unwanted: TokenSpans | None = None,
    loras: Sequence[Sequence[str]] = (),
) -> str:
    """Per layer its tokens with their positions, its coverage, attract and repel, and warnings.

    crop: the part of the canvas that the masks show, if not all of it; unwanted: the tokens of what
    layers must not show; loras: what there is to say of the LoRAs of each layer.
    """
    shown, total = len(collage.shown), len(collage.layers)
    head = f"{shown} of {total} layers steer {len(spans.spelling)} of {spans.length} tokens"
    when = f"schedule {bias.schedule}, from {bias.start:g} to {bias.end:g} of the steps"
    lines = [f"{head}; {when}."]
    if crop:
        lines.append(f"Places are those in {crop} of the canvas.")
    if not shown:
        lines.append("! No layer is shown: every word acts everywhere.")
    elif not any((*bias.attract, *bias.repel)):
        own = {"negatives": unwanted and unwanted.regions, "LoRAs": any(loras)}
        others = " and ".join(name for name, there in own.items() if there)
        lines.append(
            "! Every attract and repel is 0: the model paints as if it were unpatched"
            f"{f', but for {others} of layers' if others else ''}."
        )
    elif bias.start >= bias.end:
        lines.append("! start_percent is not below end_percent: the bias never acts.")
    lines += [
        f"! Weights do nothing here: this text encoder reads (...:{weight}) as words."
        for weight in spans.idle_weights[:1]
    ]
    for index in range(shown):
        lines += ["", *_layer_lines(collage, bias, spans, index)]
        lines += _unwanted_lines(collage, unwanted, index)
        lines += [f"    {line}" for line in (loras[index] if loras else ())]
    return "\n".join(lines)


def _layer_lines(
    collage: Collage, bias: AttentionBias, spans: TokenSpans, index: int
) -> Iterator[str]:
    number, layer = collage.numbered[index]
    spelling = spans.spelling
    region = next(region for region in bias.regions if index in region.layers)
    visible = bias.masks[:, index].mean().item()
    tokens = ", ".join(f"{position} {spelling[position]}" for position in region.tokens)
    yield (
        f"{number} {quoted(layer.text)}: tokens {tokens}; covers {percent(visible)}; "
        f"attract {bias.attract[index]:g}, repel {bias.repel[index]:g}"
    )
    if visible == 0:
        yield f"    ! nothing of it can be seen{_consequence(bias, region)}"
    ends = last_fraction(bias.schedule, max(one.noise for one in collage.shown))
    if 0 < layer.noise < ends:
        yield (
            f"    is painted from noise {layer.noise:g} on, and with {bias.schedule} words have "
            f"ended by {ends:.2g}: its pixels keep its place, not attract and repel"
        )
    if spans.english and len(region.tokens) > FEW_TOKENS and not layer.text.isascii():
        yield (
            f"    ! the text encoder reads English; this takes {len(region.tokens)} tokens that "
            "mean little to it"
        )
    vectors = sum(spelling[position] == LEARNED for position in region.tokens)
    if vectors > MANY_VECTORS:
        yield f"    ! {vectors} learned vectors leave little of the prompt to be obeyed"
    if shared := [str(collage.numbered[i][0]) for i in region.layers if i != index]:
        yield f"    ! shares its words with layer {', '.join(shared)}: they are one region"


def _unwanted_lines(collage: Collage, unwanted: TokenSpans | None, index: int) -> Iterator[str]:
    if unwanted is None:
        return
    for region in unwanted.regions:
        if index in region.layers:
            tokens = ", ".join(f"{place} {unwanted.spelling[place]}" for place in region.tokens)
            told = quoted(collage.shown[index].negative)
            yield f"    must not show {told}: tokens {tokens} of the negative"


def _consequence(bias: AttentionBias, region: TokenRegion) -> str:
    """How the words act when no layer of the region can be seen; empty if one can."""
    if bias.masks[:, list(region.layers)].any():
        return ""
    repelled = any(bias.repel[i] for i in region.layers)
    where = "are pushed out of the whole picture" if repelled else "act everywhere"
    return f": its words {where}"
