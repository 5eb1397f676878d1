"""A LoRA per layer, in a clone of the model, for the length of one model call.

In a call the `forward` of each module that a LoRA changes is one of ours, which adds what the LoRAs
add where their layers are seen. It is put in place when the call begins and taken out when it ends,
however it ends. torch.compile notices that a `forward` is another one, but no hook that is
registered after it has compiled; so one object serves all calls, and only its places change.

The weights of the LoRAs are a model of their own beside the patched one: the host finds room for
them when it loads that, and makes them anew for each further GPU.

Host symbols:
    comfy.patcher_extension.WrappersMP: APPLY_MODEL
    comfy.patcher_extension.WrapperExecutor: class_obj
    comfy.model_base.BaseModel: current_patcher, get_dtype_inference()
    comfy.model_base.BaseModel: apply_model(x, t, c_concat, c_crossattn, control,
        transformer_options)
    comfy.model_patcher.ModelPatcher(model, load_device, offload_device): model
    comfy.model_patcher.ModelPatcher: load_device, offload_device, cached_patcher_init
    comfy.model_patcher.ModelPatcher: set_additional_models(key, models)
    comfy.model_patcher.ModelPatcher: get_additional_models_with_key(key)
    comfy.model_patcher.ModelPatcher: add_wrapper_with_key(wrapper_type, key, wrapper)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP

from ....collage_core.attention.lora_weights import LoraWeights
from ..attention.conditioning import ConditioningBias
from ..attention.run_tensors import RUN, RunTensors
from ..models.transformers import is_transformer, plain_network
from .calls import places_of
from .places import Places, reads_text
from .stacks import Stack


class Stacks(torch.nn.Module):
    """The stacks of a model, by the names of its modules."""

    def __init__(self, stacks: Mapping[str, Stack]) -> None:
        super().__init__()
        self.names = tuple(stacks)
        self.stacks = torch.nn.ModuleList(stacks.values())


@dataclass(eq=False)
class ForwardWithLoras:
    """The `forward` of one module during the model calls of a patched clone.

    inner: the module's own; text: whether it reads text; places: of the call, by stack.columns.
    """

    module: torch.nn.Module
    inner: Any
    stack: Stack
    text: bool
    places: Places | None = None

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        out = self.inner(x, *args, **kwargs)
        assert self.places is not None  # set for every call
        if self.stack.conv is None:
            weights = self.places.of_sequence(x.shape, text=self.text)
        else:
            weights = self.places.of_map(out.shape)
        return self.stack(x, out, weights)


@dataclass(eq=False)
class LorasOfLayers:
    """The wrapper APPLY_MODEL of a patched clone, and the key of its stacks.

    asked: the bias whose words are those of the layers; weights: of each LoRA in each layer.
    """

    asked: ConditioningBias
    weights: LoraWeights
    key: str = field(default_factory=lambda: f"collage_loras_{uuid4().hex}")
    _forwards: dict[tuple[int, str], ForwardWithLoras] = field(default_factory=dict, repr=False)

    def __call__(
        self,
        executor,
        x,
        t,
        c_concat=None,
        c_crossattn=None,
        control=None,
        transformer_options=None,
        **kwargs,
    ):
        options, model = transformer_options or {}, executor.class_obj
        run = options.get(RUN) or RunTensors()
        call = (model, x, c_crossattn, kwargs)
        forwards = []
        # none where a guider asks another model for the negative, with the options of this one
        for own in model.current_patcher.get_additional_models_with_key(self.key):
            places = places_of(self.asked, self.weights, call, options, run)
            forwards += self._prepared(plain_network(model), own.model, places, run)
        with _in_place(forwards):
            return executor(x, t, c_concat, c_crossattn, control, transformer_options, **kwargs)

    def _prepared(self, network, own: Stacks, places: Places, run) -> Iterator[ForwardWithLoras]:
        unet = not is_transformer(network)
        stacks: Any = own.stacks
        for name, stack in zip(own.names, stacks, strict=True):
            module, key = network.get_submodule(name), (id(network), name)
            known = self._forwards.get(key)
            if known is None or known.stack is not stack or known.inner != module.forward:
                known = ForwardWithLoras(module, module.forward, stack, reads_text(name, unet=unet))
                self._forwards[key] = known
            picked = (places, stack.columns)
            known.places = run.get(picked, lambda picked=picked: picked[0].columns(picked[1]))
            yield known


@contextmanager
def _in_place(forwards: Sequence[ForwardWithLoras]) -> Iterator[None]:
    """These `forward`s on their modules, until the block is left."""
    before = [vars(one.module).get("forward") for one in forwards]
    try:
        for one in forwards:
            one.module.forward = one.forward
        yield
    finally:
        for one, earlier in zip(forwards, before, strict=True):
            if earlier is not None:
                one.module.forward = earlier
            elif "forward" in vars(one.module):
                del one.module.forward
            one.places = None


def add_loras(
    patched, asked: ConditioningBias, weights: LoraWeights, make: Callable[[], Mapping[str, Stack]]
) -> None:
    """Let a clone of our own act with the LoRAs of the layers.

    make: the stacks by the names of modules, with tensors of their own each time it is called.
    """
    wrapper = LorasOfLayers(asked, weights)
    own = _loadable(make, patched.load_device, patched.offload_device)
    patched.set_additional_models(wrapper.key, [own])
    patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, wrapper.key, wrapper)


def _loadable(make: Callable[[], Mapping[str, Stack]], load_device, offload_device) -> ModelPatcher:
    """The stacks as a model that the host loads, and can ask for again for another GPU."""
    own = ModelPatcher(Stacks(make()), load_device, offload_device)
    own.cached_patcher_init = (_loadable, (make, load_device, offload_device))
    return own
