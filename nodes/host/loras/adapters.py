"""From a LoRA file to what it changes in a model, module by module, or a refusal.

ComfyUI maps the names of a file to those of a model, and makes an adapter of the tensors of each.
A target is the name of a weight, or that name with a part of it (dim, start, length) and a function
that puts its rows in another order: several targets may lie in one weight.

Host symbols:
    comfy.lora: model_lora_keys_unet(model, key_map), load_lora(lora, to_load, log_missing)
    comfy.lora: model_lora_keys_clip(model, key_map)
    comfy.weight_adapter: LoRAAdapter, LoHaAdapter, LoKrAdapter
    comfy.weight_adapter.WeightAdapterBase: name, weights, loaded_keys
    comfy.ops.mixed_precision_ops: "in_features", "out_features"
    comfy.model_patcher.ModelPatcher: model
    comfy.sd.CLIP: cond_stage_model
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import comfy.lora
import torch
from comfy.weight_adapter import LoHaAdapter, LoKrAdapter, LoRAAdapter

from ....collage_core.errors import CollageError

NETWORK = "diffusion_model."
WEIGHT = ".weight"
CONVOLUTIONS = (torch.nn.Conv2d, torch.nn.Conv3d)
# where an adapter of each class keeps the scale of DoRA
DORA = {LoRAAdapter: 4, LoHaAdapter: 7, LoKrAdapter: 8}
RESHAPE = 5  # where a LoRA keeps the larger shape that it gives a weight


@dataclass(frozen=True, eq=False)
class Term:
    """What one LoRA adds to the output of one module.

    part: (dim, start, length) of the module's weight, None for all of it; order: a function of the
    weight's rows, or None.
    """

    adapter: Any
    part: tuple[int, int, int] | None = None
    order: Callable[[torch.Tensor], torch.Tensor] | None = None


def model_terms(model, weights: dict[str, torch.Tensor], what: str) -> dict[str, list[Term]]:
    """The terms of a LoRA by the name of the module in the diffusion model.

    what: the file and its layer, to begin a refusal. Empty where nothing of it fits the model.
    Raises CollageError for adapters that cannot act on a part of the picture.
    """
    keys = comfy.lora.model_lora_keys_unet(model.model, {})
    found, wrong = {}, Counter()
    for target, adapter in comfy.lora.load_lora(weights, keys, False).items():
        key, part, order = _target(target)
        module = _module(model.model, key)
        if problem := _problem(adapter, module):
            wrong[problem] += 1
            continue
        name = key.removeprefix(NETWORK).removesuffix(WEIGHT)
        found.setdefault(name, []).append(Term(adapter, part, order))
    if wrong:
        counted = " and ".join(f"{count} of {kind}" for kind, count in wrong.items())
        raise CollageError(
            f"{what} changes weights in ways that cannot be kept to one layer: {counted}. Choose a "
            "LoRA, LoHa or LoKr without these, or load it for the whole picture with Load LoRA."
        )
    return found


def clip_patches(clip, weights: dict[str, torch.Tensor]) -> dict[Any, Any]:
    """What a LoRA changes in a CLIP, for `CLIP.add_patches`; empty where nothing fits."""
    keys = comfy.lora.model_lora_keys_clip(clip.cond_stage_model, {})
    return comfy.lora.load_lora(weights, keys, False)


def left_over(
    weights: dict[str, torch.Tensor], terms: dict[str, list[Term]], patches: dict[Any, Any]
) -> int:
    """How many weights of a file neither the model nor the CLIP took; 0 where that is not known.

    terms: of the model; patches: of the CLIP.
    """
    adapters = [term.adapter for own in terms.values() for term in own] + [*patches.values()]
    # all adapters that the host made in one go share one set of names
    named = {id(one): one for a in adapters if (one := getattr(a, "loaded_keys", None))}
    return len(weights.keys() - set().union(*named.values())) if named else 0


def is_linear(module: Any) -> bool:
    """Whether it is one linear layer: those of quantised weights are no torch.nn.Linear.

    The name is asked for, too, as a bank of experts has the same sizes and is no layer.
    """
    named = "Linear" in type(module).__name__ and hasattr(module, "in_features")
    return isinstance(module, torch.nn.Linear) or named


def _target(target: Any) -> tuple[str, tuple[int, int, int] | None, Any]:
    if isinstance(target, str):
        return target, None, None
    key, part, *order = target
    return key, part, order[0] if order else None


def _module(model: torch.nn.Module, key: str) -> torch.nn.Module | None:
    """The module whose weight the key names."""
    if not key.startswith(NETWORK) or not key.endswith(WEIGHT):
        return None
    try:
        return model.get_submodule(key.removesuffix(WEIGHT))
    except AttributeError:
        return None


def _problem(adapter: Any, module: torch.nn.Module | None) -> str:
    """The kind of a change that no layer can keep to itself; "" for others."""
    kind = type(adapter)
    if kind not in DORA:
        return f"the kind {adapter[0] if isinstance(adapter, tuple) else adapter.name}"
    if adapter.weights[DORA[kind]] is not None:
        return "the kind DoRA"
    if kind is LoRAAdapter and adapter.weights[RESHAPE] is not None:
        return "the kind that enlarges a weight"
    taken = is_linear(module) or isinstance(module, CONVOLUTIONS)
    if not taken or getattr(module, "groups", 1) != 1:
        return f"the module {type(module).__name__}" if module is not None else "no module's weight"
    return ""
