"""The LoRAs of a collage's layers on one model and its text encoder.

Host symbols:
    comfy.model_base.BaseModel: get_dtype_inference()
    comfy.model_patcher.ModelPatcher: model
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from ....collage_core.attention.lora_weights import LoraWeights
from ....collage_core.collage.collage import Collage
from ....collage_core.collage.layer import LayerLora
from ....collage_core.errors import CollageError, quoted
from ..attention.conditioning import NODE, bias_of
from ..models.families import Text
from ..models.transformers import plain_network
from .adapters import Term, clip_patches, left_over, model_terms
from .files import read_lora
from .patch import add_loras
from .stacks import Stack
from .text import encoded_under, mixed

ADAPTER = "llm_adapter."  # of Anima: it reads the prompt before any call of the model


@dataclass(frozen=True, eq=False)
class LoadedLoras:
    """The LoRAs that act in a collage, read once each, however many layers have them.

    terms: by file and module of the model; patches: by file, of the text encoder; left_out: by file
    how many modules stay as they are; unknown: by file how many of how many weights fit nothing.

        loras = LoadedLoras.of(collage, model, clip)
    """

    collage: Collage
    terms: dict[str, dict[str, list[Term]]] = field(repr=False)
    patches: dict[str, dict[Any, Any]] = field(repr=False)
    left_out: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, collage: Collage, model, clip) -> LoadedLoras:
        """Raises CollageError for a file that cannot be read, used or that fits nothing."""
        terms, patches, left_out, unknown = {}, {}, {}, {}
        for what, lora in _acting(collage):
            name = lora.name
            if name not in terms:
                weights = read_lora(name, f"{NODE}, input collage")
                every = model_terms(model, weights, what)
                terms[name] = {one: own for one, own in every.items() if ADAPTER not in one}
                left_out[name] = len(every) - len(terms[name])
                patches[name] = clip_patches(clip, weights)
                unknown[name] = (left_over(weights, every, patches[name]), len(weights))
            _check_fits(what, lora, terms[name], patches[name], unknown[name][0])
        return cls(collage, terms, patches, left_out, unknown)

    def encoded(self, plain: list, clip, tokens, regions, text: Text) -> list:
        """The CONDITIONING with each layer's words as its LoRAs change them."""
        sets = [self._clip_set(layer.loras) for layer in self.collage.shown]
        wanted = [*dict.fromkeys(one for one in sets if one)]
        if not wanted:
            return plain
        if text.adapter:
            raise CollageError(
                f"{NODE}, input collage: the LoRA {quoted(wanted[0][0][0])} changes the text "
                f"encoder, whose tokens {text.family} does not take one by one. Set strength_clip "
                "of Collage Layer LoRA to 0."
            )
        strengths = torch.tensor([[float(own == one) for own in sets] for one in wanted])
        masks = self.collage.composite.visible_alpha
        changed = [
            encoded_under(clip, tokens, [(self.patches[name], s) for name, s in one])
            for one in wanted
        ]
        return mixed(plain, changed, LoraWeights(masks, strengths), regions)

    def patch(self, patched, positive: list) -> None:
        """Let a clone of our own act with what the LoRAs change in the model.

        positive: the conditioning that carries the bias of the layers' words.
        """
        names, strengths = self._strengths()
        if not names:
            return
        dtype, network = patched.model.get_dtype_inference(), plain_network(patched.model)
        by_module: dict[str, list[tuple[int, Term]]] = {}
        for number, name in enumerate(names):
            for module, terms in self.terms[name].items():
                by_module.setdefault(module, []).extend((number, one) for one in terms)

        def make() -> dict[str, Stack]:
            return {
                module: self._stack(network.get_submodule(module), module, terms, names, dtype)
                for module, terms in by_module.items()
            }

        asked = bias_of(positive[0][1])
        assert asked is not None
        weights = LoraWeights(asked.bias.masks, strengths)
        add_loras(patched, asked, weights, make)

    def _stack(self, module, name: str, terms, names: list[str], dtype) -> Stack:
        try:
            return Stack(module, terms, dtype)
        except (ValueError, RuntimeError) as error:
            told = " or ".join(quoted(names[one]) for one in {number for number, _ in terms})
            raise CollageError(
                f"{NODE}, input collage: the LoRA {told} does not fit {name} of this model "
                f"({error}): it was made for another one. Choose one made for this model."
            ) from error

    def lines(self) -> list[list[str]]:
        """For each shown layer what the report says of its LoRAs."""
        return [[self._line(lora) for lora in layer.loras] for layer in self.collage.shown]

    def _line(self, lora: LayerLora) -> str:
        if not lora.strength_model and not lora.strength_clip:
            return f"LoRA {quoted(lora.name)}: both strengths are 0, so it does nothing"
        modules, patches = len(self.terms[lora.name]), len(self.patches[lora.name])
        told = (
            f"LoRA {quoted(lora.name)}: {lora.strength_model:g} in {modules} modules of the "
            f"model, {lora.strength_clip:g} in {patches} weights of the text encoder"
        )
        if left_out := self.left_out[lora.name]:
            told += f"; {left_out} modules of its text adapter stay as they are"
        unknown, every = self.unknown[lora.name]
        if unknown:
            told = f"! {told}; {unknown} of the {every} weights in the file fit neither"
        return told

    def _strengths(self) -> tuple[list[str], torch.Tensor]:
        """The files that act in the model, and their strengths [G, L]."""
        layers = self.collage.shown
        table = {
            name: [sum(o.strength_model for o in one.loras if o.name == name) for one in layers]
            for name in self.terms
            if self.terms[name]
        }
        acting = {name: row for name, row in table.items() if any(row)}
        return list(acting), torch.tensor(list(acting.values()), dtype=torch.float32)

    def _clip_set(self, loras: tuple[LayerLora, ...]) -> tuple[tuple[str, float], ...]:
        """What acts in the text encoder, with no regard to the order."""
        total: dict[str, float] = {}
        for one in loras:
            if one.strength_clip and self.patches[one.name]:
                total[one.name] = total.get(one.name, 0.0) + one.strength_clip
        return tuple(sorted((name, value) for name, value in total.items() if value))


def _check_fits(what: str, lora: LayerLora, in_model, in_clip, unknown: int) -> None:
    """Refuse a LoRA that changes nothing, or only words although it is meant for the model too."""
    if not in_model and not in_clip:
        raise CollageError(
            f"{what} fits nothing of this model or its text encoder: it was made for another kind "
            "of model. Choose one made for the model you sample with."
        )
    if not in_model and unknown and lora.strength_model:
        raise CollageError(
            f"{what} fits the text encoder but nothing of this model: it was made for another kind "
            "of model. Choose one made for the model you sample with, or set its strength_model "
            "to 0 to change the words alone."
        )


def _acting(collage: Collage) -> Iterator[tuple[str, LayerLora]]:
    """The LoRAs whose strengths are not both 0, each with the beginning of a refusal."""
    for number, layer in collage.numbered:
        for lora in layer.loras:
            if lora.strength_model or lora.strength_clip:
                where = f"{NODE}, input collage: the LoRA {quoted(lora.name)}"
                yield f"{where} of layer {number} {quoted(layer.text)}", lora
