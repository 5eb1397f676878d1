"""Copies of a MODEL and a CLIP that nobody else sees, to send gradients through.

The weights of the shared ones may be inference tensors, which autograd refuses, may be patched
for another graph at any moment, and must not change. A copy holds its own tensors with the LoRA
patches of its MODEL or CLIP worked in; the host's memory management does not know it.

Host symbols:
    comfy.model_patcher.ModelPatcher: model, get_key_patches(), patches, object_patches, injections
    comfy.model_patcher.ModelPatcher: force_cast_weights, load_device, model_size()
    comfy.model_patcher: "current_patcher", "dynamic_vbars", "comfy_cast_weights"
    comfy.model_patcher.wipe_lowvram_weight(m)
    comfy.model_base.BaseModel: diffusion_model
    comfy.sd.CLIP: patcher, layer_idx
    comfy.sd1_clip.SD1ClipModel: reset_clip_options(), set_clip_options(options)
    comfy.sd1_clip.SD1ClipModel: encode_token_weights(token_weight_pairs), "clip_{}"
    comfy.sd1_clip.SDClipModel: transformer, "layer", "execution_device"
    comfy.clip_model.CLIPTextModel: get_input_embeddings()
    comfy.clip_model.CLIPLayer: layer_norm1, layer_norm2
    comfy.lora.calculate_weight(patches, weight, key)
    comfy.float.stochastic_rounding(value, dtype, seed)
    comfy.utils: string_to_seed(data), set_attr(obj, attr, value)
    comfy.model_management: free_memory(memory_required, device), lora_compute_dtype(device)
    comfy.model_management: in_training
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import comfy.float
import comfy.lora
import comfy.model_management
import comfy.utils
import numpy as np
import torch
from comfy.model_patcher import wipe_lowvram_weight

from ...collage_core.errors import CollageError

# what the host hangs on a model while it is loaded: not to be copied along
_LOADED = ("current_patcher", "dynamic_vbars", "_v", "_prefetch", "weight_function")
_LOADED += ("bias_function", "weight_lowvram_function", "bias_lowvram_function")
_SHARED = ("model_config", "latent_format")  # nothing writes to them
# CLIPLayer adds in place to what these have read, and their backward needs it as it was
_OVERWRITTEN = ("layer_norm1", "layer_norm2")


@contextmanager
def gradients() -> Iterator[None]:
    """Autograd inside a node, where the host has switched it off. Nothing global is left behind."""
    with untouched(), torch.inference_mode(False), torch.enable_grad():
        yield


@contextmanager
def untouched() -> Iterator[None]:
    """The global random states and `in_training` are the same afterwards, whatever happens."""
    management = comfy.model_management
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    states = (torch.get_rng_state(), np.random.get_state(), random.getstate())
    in_training, management.in_training = management.in_training, True
    try:
        yield
    finally:
        management.in_training = in_training
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)


def private_copy(patcher, where: str) -> torch.nn.Module:
    """The ModelPatcher's model with its patches, on its device, of tensors of its own.

    Raises CollageError, beginning with `where`, for weights that cannot be copied or trained
    through.
    """
    if any(patcher.injections.values()):
        raise CollageError(
            f"{where}: another node changes the model while it runs, which a copy for training "
            "cannot repeat. Connect the model before that node."
        )
    with torch.inference_mode(False), torch.no_grad():
        # the host would make no room by itself for tensors that it does not know
        comfy.model_management.free_memory(2 * patcher.model_size(), patcher.load_device)
        memo = {id(shared): own for shared, own in _own_tensors(patcher, where)}
        for module in patcher.model.modules():  # deepcopy takes what the memo holds for done
            own = module.__dict__
            memo |= {id(own[name]): None for name in _LOADED if name in own}
            memo |= {id(own[name]): own[name] for name in _SHARED if name in own}
        try:
            copied = copy.deepcopy(patcher.model, memo)
        except (TypeError, RuntimeError, NotImplementedError) as error:
            raise CollageError(
                f"{where}: {type(patcher.model).__name__} cannot be copied for training "
                f"({error}). Connect it directly from its loader."
            ) from error
        _as_if_loaded(copied, patcher)
    return copied.eval()


def _own_tensors(patcher, where: str) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Each parameter and buffer of the shared model with the one that takes its place."""
    device = patcher.load_device
    original = {key: found[0][0] for key, found in patcher.get_key_patches().items()}
    for key, shared in patcher.model.named_buffers(remove_duplicate=False):
        yield shared, original.get(key, shared).to(device, copy=True)
    for key, shared in patcher.model.named_parameters(remove_duplicate=False):
        weight = original.get(key, shared)
        if type(weight) not in (torch.Tensor, torch.nn.Parameter) or not weight.is_floating_point():
            raise CollageError(
                f"{where}: its weights are quantised ({type(weight).__name__}, {weight.dtype}), "
                "and nothing can be trained through them. Load the fp16, bf16 or fp8 version."
            )
        own = weight.detach().to(device, copy=True)
        if key in patcher.patches:
            own = own.to(comfy.model_management.lora_compute_dtype(device))
            own = comfy.lora.calculate_weight(patcher.patches[key], own, key)
            seed = comfy.utils.string_to_seed(key)
            own = comfy.float.stochastic_rounding(own, weight.dtype, seed=seed)
        yield shared, torch.nn.Parameter(own, requires_grad=False)


def _as_if_loaded(copied: Any, patcher) -> None:
    """What the host does to a model when it loads it completely."""
    for module in copied.modules():
        wipe_lowvram_weight(module)
        for name in _LOADED:
            if name in module.__dict__ and module.__dict__[name] is None:
                delattr(module, name)
        if patcher.force_cast_weights and hasattr(module, "comfy_cast_weights"):
            module.comfy_cast_weights = True
    for name, patch in patcher.object_patches.items():
        value = patch
        if isinstance(patch, torch.nn.Module):
            value = copy.deepcopy(patch, {id(b): b.clone() for b in patch.buffers()})
        comfy.utils.set_attr(copied, name, value)
    if hasattr(copied, "diffusion_model"):
        copied.current_patcher = None
    copied.device = patcher.load_device


def _keep_input(_, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    return (args[0].clone(),)


EncodedText = tuple[torch.Tensor, torch.Tensor | None]  # features, pooled features


class PrivateText:
    """A private copy of a CLIP's text encoders: tokens in, features and pooled features out."""

    def __init__(self, clip, where: str) -> None:
        self.model: Any = private_copy(clip.patcher, where)
        for name, module in self.model.named_modules():
            if name.endswith(_OVERWRITTEN):
                module.register_forward_pre_hook(_keep_input)
        self.device, self.layer_idx = clip.patcher.load_device, clip.layer_idx

    def encode(self, tokens: dict) -> EncodedText:
        """As CLIP.encode_from_tokens; vectors among the tokens pass gradients."""
        self.model.reset_clip_options()
        if self.layer_idx is not None:
            self.model.set_clip_options({"layer": self.layer_idx})
        self.model.set_clip_options({"execution_device": self.device})
        features, pooled = self.model.encode_token_weights(tokens)[:2]
        return features, pooled

    def table(self, encoder: str) -> torch.Tensor:
        """The word vectors [49408, width] of one encoder."""
        return getattr(self.model, f"clip_{encoder}").transformer.get_input_embeddings().weight
