"""A module tree anew, with tensors of its own and nothing that the host hangs on modules.

What is known to be plain is copied, everything else is left behind: ComfyUI's memory management
keeps handles of native buffers on models and modules, which are freed with the last of their
Python objects, so a second object of one handle frees what the first still uses.
"""

from __future__ import annotations

import copy
import enum
import types
from typing import Any

import torch

_ALLOWED = (
    *(bool, int, float, str, bytes, type(None), enum.Enum, torch.dtype, torch.device),
    *(type, types.FunctionType, types.BuiltinFunctionType),
)
_CONTAINERS = (list, tuple, set, frozenset, torch.Size)
_SHARED = ("model_config", "latent_format")  # objects of the host that nothing writes to
_STANDARD = frozenset(vars(torch.nn.Module()))  # of every module: its tensors, children and hooks

Made = dict[int, Any]


def copied_module(module: torch.nn.Module, made: Made) -> torch.nn.Module:
    """The tree below `module` once more, each module of the same class.

    made: {id of a shared tensor: the one that takes its place}, of every parameter and buffer;
    the modules are added to it, so that what is shared within the tree stays so.
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
        elif name not in _STANDARD and is_plain(value):
            own[name] = copy.deepcopy(value)
    for kind in ("_parameters", "_buffers"):
        own[kind].update({n: t if t is None else made[id(t)] for n, t in held[kind].items()})
    own["_non_persistent_buffers_set"].update(held["_non_persistent_buffers_set"])
    for name, child in held["_modules"].items():
        own["_modules"][name] = None if child is None else copied_module(child, made)
    return copied


def is_plain(value: Any) -> bool:
    """Whether a value is configuration: numbers, names, classes and containers of such."""
    if type(value) in _CONTAINERS:
        return all(is_plain(part) for part in value)
    if type(value) is dict:
        return all(is_plain(part) for pair in value.items() for part in pair)
    return isinstance(value, _ALLOWED)
