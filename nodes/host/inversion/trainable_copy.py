"""A copy of a shared model that gradients can pass through, and that nobody else sees.

The weights of the shared model may be inference tensors, which autograd refuses, may be patched
for another graph at any moment, and must not change. The copy holds its own tensors, with the LoRA
patches merged; ComfyUI's memory management does not know it. It is made from the weights in memory.
ComfyUI's own trainer uses `clone(force_deepcopy=True)`, which reads the file again: the file may be
gone or changed, and not every loader can do it.

Only what is known to be plain is copied. ComfyUI's memory management keeps handles of native
buffers on models and modules, which are freed with the last of their Python objects: a second
object for one handle would free what the first still uses.

Host symbols:
    comfy.model_patcher.ModelPatcher: model, get_key_patches(), patches, object_patches, injections
    comfy.model_patcher.ModelPatcher: force_cast_weights, is_dynamic(), load_device
    comfy.model_patcher: "current_patcher", "comfy_cast_weights", "prev_comfy_cast_weights"
    comfy.model_patcher: "_comfy_model_dtype"
    comfy.model_base.BaseModel: diffusion_model
    comfy.lora.calculate_weight(patches, weight, key)
    comfy.float.stochastic_rounding(value, dtype, seed)
    comfy.utils: string_to_seed(data), set_attr(obj, attr, value)
    comfy.model_management: free_memory(memory_required, device), lora_compute_dtype(device)
"""

from __future__ import annotations

import copy
import enum
import random
import types
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

_ALLOWED = (
    *(bool, int, float, str, bytes, type(None), enum.Enum, torch.dtype, torch.device),
    *(type, types.FunctionType, types.BuiltinFunctionType),
)
_CONTAINERS = (list, tuple, set, frozenset, torch.Size)
_SHARED = ("model_config", "latent_format")  # objects of ComfyUI that nothing writes to
_STANDARD = frozenset(vars(torch.nn.Module()))  # of every module: its tensors, children and hooks

Made = dict[int, Any]  # id of a shared tensor or module -> its copy


@contextmanager
def gradients() -> Iterator[None]:
    """Autograd inside a node, where ComfyUI has switched it off."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


@contextmanager
def same_random_states() -> Iterator[None]:
    """Restores the global random states at the end."""
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


def trainable_copy(patcher, where: str) -> torch.nn.Module:
    """The model of a ModelPatcher with its patches merged, in tensors of its own on its device.

    Raises CollageError, which begins with `where`, for weights that cannot be copied or that
    gradients cannot pass through.
    """
    _check_nothing_replaced(patcher, where)
    with torch.inference_mode(False), torch.no_grad():
        # ComfyUI makes no room by itself for tensors that it does not know
        comfy.model_management.free_memory(2 * copied_size(patcher), patcher.load_device)
        made: Made = {id(shared): own for shared, own in _copied_tensors(patcher, where)}
        copied = _copied_module(patcher.model, made)
        for name, patch in patcher.object_patches.items():
            value = patch
            if isinstance(patch, torch.nn.Module):
                value = _copied_module(patch, _with_tensors_of(patch, made))
            comfy.utils.set_attr(copied, name, value)
        _as_if_loaded(copied, patcher)
    return copied.eval()


def copied_size(patcher) -> int:
    """The bytes that the tensors of a copy take."""
    return sum(tensor.numel() * dtype.itemsize for _, tensor, dtype in _tensors(patcher))


def cast_size(patcher, computed: torch.dtype) -> int:
    """The bytes of all weights that are cast to the dtype `computed`.

    Autograd keeps the cast weights; tables of word vectors are only read, not multiplied.
    """
    modules = patcher.model.modules()
    tables = {id(m.weight) for m in modules if isinstance(m, torch.nn.Embedding)}
    return sum(
        tensor.numel() * computed.itemsize
        for _, tensor, dtype in _tensors(patcher)
        if dtype != computed and id(tensor) not in tables
    )


def _tensors(patcher) -> Iterator[tuple[str, torch.Tensor, torch.dtype]]:
    """Key, tensor and dtype on the device of every parameter and buffer.

    With dynamic VRAM a tensor has the dtype of its file until it is brought to the device.
    """
    for prefix, module in patcher.model.named_modules():
        for held in (module.named_parameters(recurse=False), module.named_buffers(recurse=False)):
            for name, tensor in held:
                meant = getattr(module, f"{name}_comfy_model_dtype", None)
                dtype = meant if meant and patcher.is_dynamic() else tensor.dtype
                yield f"{prefix}.{name}".lstrip("."), tensor, dtype


def _copied_tensors(patcher, where: str) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Each parameter and buffer of the shared model with its copy."""
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
    if weight.is_meta:  # the file lacks this weight; ComfyUI makes it at the first use
        weight = torch.zeros(weight.shape, dtype=weight.dtype)
    if key not in patcher.patches:
        return weight.to(device, dtype, copy=True)
    own = weight.to(device, comfy.model_management.lora_compute_dtype(device), copy=True)
    own = comfy.lora.calculate_weight(patcher.patches[key], own, key)
    return comfy.float.stochastic_rounding(own, dtype, seed=comfy.utils.string_to_seed(key))


def _with_tensors_of(module: torch.nn.Module, made: Made) -> Made:
    """`made` with copies of the tensors of a module that may lie outside the model."""
    parameters = {id(p): torch.nn.Parameter(p.clone(), False) for p in module.parameters()}
    return {**parameters, **{id(b): b.clone() for b in module.buffers()}, **made}


def _as_if_loaded(copied: Any, patcher) -> None:
    """Sets what ComfyUI sets when it loads a model completely."""
    for module in copied.modules():
        # with dynamic VRAM inputs and weights may differ in dtype, so every operation casts
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
    """Raise CollageError where another node replaces methods of modules or injects some."""
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


def _copied_module(module: torch.nn.Module, made: Made) -> torch.nn.Module:
    """A copy of the tree below `module`, each module of the same class.

    made: the copies of all parameters and buffers; those of the modules are added to it, so that
    a module that stands in two places of the tree is copied once.
    """
    module = getattr(module, "_orig_mod", module)  # torch.compile's wrapper holds it
    if id(module) in made:
        return made[id(module)]
    copied = made[id(module)] = type(module).__new__(type(module))
    torch.nn.Module.__init__(copied)
    held, own = vars(module), vars(copied)
    for name, value in held.items():
        if name in _SHARED:
            own[name] = value
        elif name not in _STANDARD and _is_plain(value):
            own[name] = copy.deepcopy(value)
    for kind in ("_parameters", "_buffers"):
        own[kind].update({n: t if t is None else made[id(t)] for n, t in held[kind].items()})
    own["_non_persistent_buffers_set"].update(held["_non_persistent_buffers_set"])
    for name, child in held["_modules"].items():
        own["_modules"][name] = None if child is None else _copied_module(child, made)
    return copied


def _is_plain(value: Any) -> bool:
    """Whether a value is configuration: numbers, names, classes and containers of these."""
    if type(value) in _CONTAINERS:
        return all(_is_plain(part) for part in value)
    if type(value) is dict:
        return all(_is_plain(part) for pair in value.items() for part in pair)
    return isinstance(value, _ALLOWED)
