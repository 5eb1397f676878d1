"""MaskedCrossAttentionPatch: each layer's words act where the layer can be seen."""

from __future__ import annotations

from comfy_api.latest import io

from ..collage_core.attention.bias import DEFAULT_SCHEDULE, SCHEDULES, AttentionBias
from ..collage_core.attention.report import describe_bias
from ..collage_core.attention.spans import TokenSpans
from ..collage_core.collage.box import Box, read_box
from ..collage_core.collage.collage import Collage
from ..collage_core.prompt.checks import check_prompt
from ..collage_core.prompt.phrases import Phrases
from .host.attention.conditioning import with_bias, with_plain_rest
from .host.attention.patch import attach_conditioning, patch_model
from .host.attention.prompt_embeddings import check_embeddings
from .host.attention.token_spans import in_features, token_spans
from .host.loras.loaded import LoadedLoras
from .host.models.embeddings_in_memory import with_embeddings_in_memory
from .host.models.families import check_width, text_of, text_width
from .sockets import CATEGORY, CollageSocket, crop_socket
from .widgets import share_widget

NODE = "MaskedCrossAttentionPatch"


class MaskedCrossAttentionPatch(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Masked Cross-Attention Patch",
            category=CATEGORY,
            description=(
                "Encodes the scene prompt and makes each layer's words act where the layer can be "
                "seen, and not elsewhere. Connect both outputs to the same sampler."
            ),
            search_aliases=["regional prompt", "attention couple", "paint with words", "mask"],
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="An SD1.x, SD2.x or SDXL model, or a transformer such as Flux, "
                    "Qwen-Image, Z-Image or SD3; the help page lists them all.",
                ),
                io.Clip.Input(
                    "clip",
                    tooltip="The text encoder made for this model; it encodes the prompt.",
                ),
                CollageSocket.Input("collage", tooltip="Its layers say where words act."),
                io.Combo.Input(
                    "schedule",
                    options=list(SCHEDULES),
                    default=DEFAULT_SCHEDULE,
                    advanced=True,
                    tooltip="How the effect falls with the noise. paper: log(log(sigma + 1.01) + "
                    "1). ediff: log(sigma + 1.01), as in eDiff-I. constant: 1. early: paper "
                    "x (sigma^2 / (sigma^2 + 1))^2, which leaves late steps to the model. "
                    "earliest: early, and nothing once a quarter of the run's noise is gone.",
                ),
                share_widget(
                    "strength", 1.0, "Multiplies attract and repel of every layer.", high=10.0
                ),
                share_widget(
                    "start_percent", 0.0, "Earlier steps are left unchanged.", advanced=True
                ),
                share_widget("end_percent", 1.0, "Later steps are left unchanged.", advanced=True),
                crop_socket(
                    "Only when you sample a crop of the picture, to detail a part of it: the "
                    "crop's box in pixels of the canvas. Without it, whatever is sampled counts "
                    "as the whole canvas."
                ),
                io.String.Input(
                    "negative",
                    default="",
                    multiline=True,
                    optional=True,
                    dynamic_prompts=True,
                    tooltip="What the whole picture must not show. The words that single layers "
                    "must not show stand in the layers.",
                ),
            ],
            outputs=[
                io.Model.Output("model", tooltip="The model to sample with `positive`."),
                io.Conditioning.Output("positive", tooltip="The scene prompt, tied to its places."),
                io.String.Output("report", tooltip="Tokens, coverage and warnings for each layer."),
                io.Conditioning.Output(
                    "negative", tooltip="What must not be shown, of each layer in its place only."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, negative="") -> None:
        check_prompt(negative or "", f"{NODE}, input negative")

    @classmethod
    def execute(
        cls,
        model,
        clip,
        collage,
        schedule,
        strength,
        start_percent,
        end_percent,
        crop=None,
        negative="",
    ) -> io.NodeOutput:
        box = read_box(crop, collage, f"{NODE}, input crop")
        when = {"schedule": schedule, "start": start_percent, "end": end_percent}
        clip = with_embeddings_in_memory(clip, [layer.embedding for layer in collage.shown])
        loras = LoadedLoras.of(collage, model, clip)
        positive, spans = _encoded(model, clip, collage.learned_phrases, loras)
        bias = _bias(collage, box, spans, strength, **when)
        positive = with_bias(positive, bias, collage, box)
        unwanted, told = _unwanted(model, clip, collage, loras, negative)
        if told is not None:
            confined = _bias(collage, box, told, strength, confined=True, **when)
            unwanted = with_bias(unwanted, confined, collage, box)
        report = describe_bias(collage, bias, spans, str(box or ""), told, loras.lines())
        patched = attach_conditioning(patch_model(model), positive)
        loras.patch(patched, positive)
        return io.NodeOutput(patched, positive, report, unwanted)


def _bias(
    collage: Collage, box: Box | None, spans: TokenSpans, strength: float, **when
) -> AttentionBias:
    visible = collage.composite.visible_alpha
    return AttentionBias(
        masks=visible if box is None else box.cut(visible),
        regions=spans.regions,
        attract=tuple(strength * layer.attract for layer in collage.shown),
        repel=tuple(strength * layer.repel for layer in collage.shown),
        **when,
    )


def _encoded(model, clip, phrases: Phrases, loras: LoadedLoras) -> tuple[list, TokenSpans]:
    """A prompt as a CONDITIONING, and where the words of its regions stand in it."""
    width, text = text_width(model, NODE), text_of(model, clip, NODE)
    spans = token_spans(clip, phrases, text)
    tokens = clip.tokenize(phrases.prompt)
    conditioning = clip.encode_from_tokens_scheduled(tokens)
    lengths = {features.shape[1] for features, _ in conditioning}
    for features, _ in conditioning:
        check_width(features.shape[-1], width, NODE)
    spans = in_features(spans, min(lengths), text)
    return loras.encoded(conditioning, clip, tokens, spans.regions, text), spans


def _unwanted(
    model, clip, collage: Collage, loras: LoadedLoras, everywhere: str
) -> tuple[list, TokenSpans | None]:
    """What must not be shown, and where each layer's words stand in it; None without such words."""
    check_prompt(everywhere, f"{NODE}, input negative")
    text = text_of(model, clip, NODE)
    check_embeddings(clip, everywhere, text)
    tokens = clip.tokenize(everywhere)
    plain = clip.encode_from_tokens_scheduled(tokens)
    plain = loras.encoded(plain, clip, tokens, (), text)
    phrases = collage.unwanted_phrases(everywhere)
    if not phrases.regions:
        return plain, None
    words, spans = _encoded(model, clip, phrases, loras)
    return (words if text.adapter else with_plain_rest(words, plain, spans)), spans
