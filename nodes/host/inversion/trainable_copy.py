"""Copies of a MODEL and a CLIP that nobody else sees, to send gradients through.

The weights of the shared ones may be inference tensors, which autograd refuses, may be patched
for another graph at any moment, and must not change. A copy holds its own tensors with the LoRA
patches of its MODEL or CLIP worked in; ComfyUI's memory management does not know it. It is made
of the weights at hand and not by `clone(force_deepcopy=True)`, as ComfyUI's own trainer does:
that reads the file again, which may be gone or changed, and only where the loader can do it.

Host symbols:
    comfy.model_patcher.ModelPatcher: model, get_key_patches(), patches, object_patches, injections
    comfy.model_patcher.ModelPatcher: force_cast_weights, is_dynamic(), load_device
    comfy.model_patcher: "current_patcher", "comfy_cast_weights", "prev_comfy_cast_weights"
    comfy.model_patcher: "_comfy_model_dtype"
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
"""

from __future__ import annotations

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

from ....collage_core.errors import CollageError
from .module_copy import Made, copied_module

# CLIPLayer adds in place to what these have read, and their backward needs it as it was
_OVERWRITTEN = ("layer_norm1", "layer_norm2")


@contextmanager
def gradients() -> Iterator[None]:
    """Autograd inside a node, where the host has switched it off. Nothing global is left behind."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


@contextmanager
def same_random_states() -> Iterator[None]:
    """The global random states are the same afterwards, whatever happens."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    states = (torch.get_rng_state(), np.random.get_state(), random.getstate())
    try:
        yield
    finally:
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
    _check_nothing_replaced(patcher, where)
    with torch.inference_mode(False), torch.no_grad():
        # the host would make no room by itself for tensors that it does not know
        comfy.model_management.free_memory(2 * copied_size(patcher), patcher.load_device)
        made: Made = {id(shared): own for shared, own in _own_tensors(patcher, where)}
        copied = copied_module(patcher.model, made)
        for name, patch in patcher.object_patches.items():
            value = patch
            if isinstance(patch, torch.nn.Module):
                value = copied_module(patch, _with_tensors_of(patch, made))
            comfy.utils.set_attr(copied, name, value)
        _as_if_loaded(copied, patcher)
    return copied.eval()


def copied_size(patcher) -> int:
    """The bytes that a copy's tensors take."""
    return sum(tensor.numel() * dtype.itemsize for _, tensor, dtype in _tensors(patcher))


def cast_size(patcher, computed: torch.dtype) -> int:
    """The bytes of the weights that are cast to the dtype they are computed in, all at once.

    Autograd keeps what it multiplied with; of a table of word vectors nothing is multiplied.
    """
    modules = patcher.model.modules()
    tables = {id(m.weight) for m in modules if isinstance(m, torch.nn.Embedding)}
    return sum(
        tensor.numel() * computed.itemsize
        for _, tensor, dtype in _tensors(patcher)
        if dtype != computed and id(tensor) not in tables
    )


def _tensors(patcher) -> Iterator[tuple[str, torch.Tensor, torch.dtype]]:
    """Key, tensor and the dtype that it is computed from, of every parameter and buffer.

    With dynamic VRAM the tensors have the dtype of their file, and are cast to the module's
    when they are brought to the device.
    """
    for prefix, module in patcher.model.named_modules():
        for held in (module.named_parameters(recurse=False), module.named_buffers(recurse=False)):
            for name, tensor in held:
                meant = getattr(module, f"{name}_comfy_model_dtype", None)
                dtype = meant if meant and patcher.is_dynamic() else tensor.dtype
                yield f"{prefix}.{name}".lstrip("."), tensor, dtype


def _own_tensors(patcher, where: str) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Each parameter and buffer of the shared model with the one that takes its place."""
    device = patcher.load_device
    original = {key: found[0][0] for key, found in patcher.get_key_patches().items()}
    for key, shared, dtype in _tensors(patcher):
        value = original.get(key, shared)
        if not isinstance(shared, torch.nn.Parameter):
            yield shared, value.to(device, dtype, copy=True)
            continue
        if type(value) not in (torch.Tensor, torch.nn.Parameter) or not value.is_floating_point():
            raise CollageError(
                f"{where}: its weights are quantised ({type(value).__name__}, {value.dtype}), "
                "and nothing can be trained through them. Load the fp16, bf16 or fp8 version."
            )
        own = _patched(patcher, key, value.detach(), dtype)
        yield shared, torch.nn.Parameter(own, requires_grad=False)


def _patched(patcher, key: str, weight: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A copy of the weight with its patches, on the patcher's device."""
    device = patcher.load_device
    if weight.is_meta:  # a weight that the file lacks, which the host makes at its first use
        weight = torch.zeros(weight.shape, dtype=weight.dtype)
    if key not in patcher.patches:
        return weight.to(device, dtype, copy=True)
    own = weight.to(device, comfy.model_management.lora_compute_dtype(device), copy=True)
    own = comfy.lora.calculate_weight(patcher.patches[key], own, key)
    return comfy.float.stochastic_rounding(own, dtype, seed=comfy.utils.string_to_seed(key))


def _with_tensors_of(module: torch.nn.Module, made: Made) -> Made:
    """`made`, and copies of the tensors of a module that may stand outside the model."""
    parameters = {id(p): torch.nn.Parameter(p.clone(), False) for p in module.parameters()}
    return {**parameters, **{id(b): b.clone() for b in module.buffers()}, **made}


def _as_if_loaded(copied: Any, patcher) -> None:
    """What the host does to a model when it loads it completely."""
    for module in copied.modules():
        # with dynamic VRAM inputs and weights may differ in dtype, and every operation casts
        if hasattr(module, "comfy_cast_weights"):
            module.comfy_cast_weights = (
                patcher.is_dynamic()
                or patcher.force_cast_weights
                or getattr(module, "prev_comfy_cast_weights", module.comfy_cast_weights)
            )
    if hasattr(copied, "diffusion_model"):
        copied.current_patcher = None
    copied.device = patcher.load_device


def _check_nothing_replaced(patcher, where: str) -> None:
    """CollageError where another node changes what modules compute, not what they hold."""
    replaced = [
        f"{type(module).__name__}.{name}"
        for module in patcher.model.modules()
        for name, value in vars(module).items()
        if callable(value) and callable(getattr(type(module), name, None))
    ]
    if replaced or any(patcher.injections.values()):
        what = f" ({replaced[0]})" if replaced else ""
        raise CollageError(
            f"{where}: another node changes the model while it runs{what}, which a copy for "
            "training cannot repeat. Connect the model before that node."
        )


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
