"""A control network whose outputs are weighed by the `control` of a collage's layers.

ComfyUI asks a CONTROL_NET for its outputs to the blocks of the UNet; the network itself merges
those of the networks chained before it. So a LayerControl takes the network's place in the chain
and holds it without predecessors: it weighs the network's own outputs alone, then merges them as
ComfyUI does. All else that the network does, with masks or keyframes for example, is unchanged.

The outputs are {"input" | "middle" | "output": [tensor or None]}: [B, C, h, w] for a UNet, and
[B, tokens, C] for a transformer.

Host symbols:
    comfy.controlnet.ControlBase(): previous_controlnet, multigpu_clones, cond_hint_original,
        cond_hint
    comfy.controlnet.ControlBase: set_cond_hint(cond_hint, strength, timestep_percent_range)
    comfy.controlnet.ControlBase: pre_run(model, percent_to_timestep_function),
        cleanup(), get_models()
    comfy.controlnet.ControlBase: control_merge(control, control_prev, output_dtype)
    comfy.controlnet.ControlBase: inference_memory_requirements(dtype)
    comfy.controlnet.ControlBase: deepclone_multigpu(load_device, autoregister), "input", "middle"
    comfy.controlnet.ControlNet: copy()
    comfy.controlnet.ControlNet: get_control(x_noisy, t, cond, batched_number, transformer_options)
    comfy.controlnet.T2IAdapter: get_control(x_noisy, t, cond, batched_number, transformer_options)
"""

from __future__ import annotations

from typing import Any

import torch
from comfy.controlnet import ControlBase

from ....collage_core.collage.box import Box, wrong_shape
from ....collage_core.collage.collage import Collage
from ....collage_core.control import grid_weights, same_proportions
from ....collage_core.errors import CollageError
from ..models.batch_rows import Pictures, row_pictures
from ..models.families import skip_shapes
from ..models.transformers import is_transformer, token_grid
from .checks import NODE, check_network, check_outputs, check_tokens, watch_blocks


class LayerControl(ControlBase):
    """CONTROL_NET `network`, weighed by `weights` [C, 1, H, W] for C pictures of a collage.

    collage: where the weights come from; box: the part of the canvas that is sampled, None for
    all of it; shows_it: whether the network sees the composite. All other attributes are those of
    the network: packs that walk a chain find its hint, strength and timestep range.

        LayerControl(control_net, torch.ones(1, 1, 512, 512), collage, None, shows_it=True)
    """

    _OWN = ("network", "weights", "collage", "box", "shows_it", "hint", "shown", "painter", "grids")
    _CHAIN = ("previous_controlnet", "multigpu_clones")

    def __init__(
        self,
        network: Any,
        weights: torch.Tensor,
        collage: Collage,
        box: Box | None,
        *,
        shows_it: bool,
    ) -> None:
        vars(self).update({"network": network, "previous_controlnet": None, "multigpu_clones": {}})
        self.weights = weights
        self.collage = collage
        self.box = box
        self.shows_it = shows_it
        self.hint: torch.Tensor | None = None  # all of the control image
        self.shown: Pictures = ()  # what the network sees of it
        self.painter: Any = None  # the network of the model
        self.grids: dict[Any, torch.Tensor] = {}

    def __getattr__(self, name: str) -> Any:
        if "network" not in vars(self):  # of an object under construction
            raise AttributeError(name)
        return getattr(self.network, name)

    def __setattr__(self, name: str, value: Any) -> None:
        own = name in (*self._OWN, *self._CHAIN)
        (super() if own else self.network).__setattr__(name, value)

    def set_cond_hint(self, cond_hint, *args, **kwargs):
        self.network.set_cond_hint(cond_hint, *args, **kwargs)
        self.hint, self.shown = cond_hint, tuple(range(len(cond_hint)))
        return self

    def copy(self):
        return self._around(self.network.copy())

    def _around(self, network: Any) -> LayerControl:
        """The same weights around a copy of the network."""
        made_of = self.weights, self.collage, self.box
        copied = LayerControl(network, *made_of, shows_it=self.shows_it)
        copied.hint, copied.shown = self.hint, self.shown
        return copied

    def deepclone_multigpu(self, load_device, autoregister=False):
        clone = self._around(self.network.deepclone_multigpu(load_device))
        if autoregister:
            self.multigpu_clones[load_device] = clone
        return clone

    def pre_run(self, model, percent_to_timestep_function):
        super().pre_run(model, percent_to_timestep_function)
        check_network(self.network, model)
        self.network.pre_run(model, percent_to_timestep_function)
        self.painter = model.diffusion_model

    def get_control(self, x_noisy, t, cond, batched_number, transformer_options):
        call = (x_noisy, t, cond, batched_number, transformer_options)
        previous: Any = self.previous_controlnet
        before = None if previous is None else previous.get_control(*call)
        images = 1 if self.hint is None else len(self.hint)
        each = len(x_noisy) // batched_number
        source = "control_image" if images > len(self.weights) else "collage"
        where, pictures = f"{NODE}, input {source}", max(images, len(self.weights))
        rows = row_pictures(pictures, each, transformer_options, where)
        if images > 1:
            self._show(rows)
        own = self.network.get_control(*call)
        if own is None:  # outside its part of the schedule
            return before
        self._check_picture(x_noisy)
        self._check_fit(own, x_noisy, transformer_options)
        weighed = self._weighed(own, x_noisy, rows)
        # the network's strength is applied already, so a plain ControlBase merges the outputs
        return ControlBase().control_merge(weighed, before, output_dtype=None)

    def _show(self, rows: Pictures) -> None:
        """Give the network one image for each row: networks take images by place in the batch."""
        assert self.hint is not None
        if rows != self.shown:
            self.network.cond_hint_original = self.hint[list(rows)]
            self.network.cond_hint = None  # made anew of the original
            self.shown = rows

    def _check_fit(self, own: dict, x_noisy: torch.Tensor, transformer_options: dict) -> None:
        if is_transformer(self.painter):
            check_tokens(own, self.painter, x_noisy)
            return
        skips = [*skip_shapes(self.painter, x_noisy.shape[-2:])]
        check_outputs(own, skips)
        watch_blocks(transformer_options, own, skips, len(x_noisy))

    def _weighed(self, own: dict, x_noisy: torch.Tensor, rows: Pictures) -> dict[str, list]:
        """All outputs; several blocks of a transformer may share one, and do so afterwards."""
        different = {id(x): x for outputs in own.values() for x in outputs if x is not None}
        made = {key: self._weigh(x, x_noisy, rows) for key, x in different.items()}
        return {key: [made.get(id(x)) for x in outputs] for key, outputs in own.items()}

    def _weigh(self, x: torch.Tensor, x_noisy: torch.Tensor, rows: Pictures) -> torch.Tensor:
        """An output [B, C, h, w] or [B, tokens, C] times the weights of each row's picture.

        An adapter keeps the outputs of its first call, whose chunks may be more or fewer.
        """
        chunks = len(x_noisy) // len(rows)
        tokens, each = x.ndim == 3, [1] * (x.ndim - 1)
        if len(x) not in (1, len(x_noisy)):
            x = x[: len(rows)].repeat(chunks, *each)
        latent = (x_noisy.shape[-2], x_noisy.shape[-1])
        size = token_grid(self.painter, x_noisy) if tokens else (x.shape[-2], x.shape[-1])
        key = (latent, size, x.dtype, x.device)
        if key not in self.grids:
            self.grids[key] = grid_weights(self.weights, latent, size).to(x)
        weights = self.grids[key].flatten(2).mT if tokens else self.grids[key]
        if len(weights) > 1:
            weights = weights[list(rows)].repeat(chunks, *each)
        return x * weights

    def _check_picture(self, x_noisy: torch.Tensor) -> None:
        (rows, columns), (height, width) = x_noisy.shape[-2:], self.weights.shape[-2:]
        if not same_proportions((rows, columns), (height, width)):
            raise CollageError(
                f"{NODE}, {wrong_shape(self.box, (height, width), (rows, columns))}, and sample "
                "without tiles."
            )

    def get_models(self):
        return [*super().get_models(), *self.network.get_models()]

    def inference_memory_requirements(self, dtype):
        before = super().inference_memory_requirements(dtype)
        return before + self.network.inference_memory_requirements(dtype)

    def cleanup(self):
        super().cleanup()
        self.network.cleanup()
        self.painter = None
        self.grids.clear()
