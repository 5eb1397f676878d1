"""The adapters of one module: their weights, and what they add to its output.

Plain LoRAs of a module become one product down, the weights of their places, and one product up,
however many they are. Adapters of other classes run in ComfyUI's own bypass form, one by one.

Host symbols:
    comfy.weight_adapter: BypassForwardHook(module, adapter), LoRAAdapter, LoKrAdapter
    comfy.weight_adapter.WeightAdapterBase: h(x, base_out), weights
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from comfy.weight_adapter import BypassForwardHook, LoKrAdapter, LoRAAdapter

from .adapters import Term, is_linear

TUCKER = 3  # where a LoRA keeps its third factor
W2, W2_B, T2 = 1, 6, 7  # where a LoKr keeps its second matrix, or the factors of it

Factors = tuple[torch.Tensor, torch.Tensor]


class Stack(torch.nn.Module):
    """All terms of one module. Its weights are parameters: these the host loads and counts.

    terms: pairs of the LoRA's number and a Term. columns: the numbers of the LoRAs that the places'
    weights are wanted for: one for each hidden channel, then one for each adapter of another class.
    Raises ValueError where a term does not fit the module.

        stack = Stack(linear, [(0, term), (1, other)], torch.float32)
        out = stack(x, linear(x), weights)  # weights [B, N, len(stack.columns)]
    """

    def __init__(
        self, module: torch.nn.Module, terms: Sequence[tuple[int, Term]], dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.conv, self.settings = _convolution(module)
        plain = [(number, _factors(term, module)) for number, term in terms if _is_plain(term)]
        others = [(number, term) for number, term in terms if not _is_plain(term)]
        self.others = torch.nn.ModuleList(_Bypass(module, term) for _, term in others)
        hidden = [number for number, (down, _) in plain for _ in range(len(down))]
        self.hidden, self.columns = len(hidden), (*hidden, *(number for number, _ in others))
        if plain:
            down, up = zip(*(factors for _, factors in plain), strict=True)
            self.down = _kept(torch.cat(down).to(dtype))
            self.up = _kept(torch.cat(up, 1).to(dtype))

    def forward(self, x: torch.Tensor, out: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The module's output with all terms.

        weights: [B, N, ..., columns] beside x of a linear layer, [B, columns, ..., h, w] beside
        `out` of a convolution; sizes of 1 stand for all.
        """
        axis = -1 if self.conv is None else 1
        if self.hidden:
            down, up = (part.to(x) for part in (self.down, self.up))
            own = weights.narrow(axis, 0, self.hidden)
            out = (self._linear if self.conv is None else self._convolved)(x, out, own, down, up)
        for place, other in enumerate(self.others, self.hidden):
            out = out + other(x, out) * weights.narrow(axis, place, 1)
        return out

    def _linear(self, x, out, weights, down, up) -> torch.Tensor:
        hidden = F.linear(x, down) * weights
        flat = out.reshape(-1, out.shape[-1]), hidden.reshape(-1, len(down))
        return torch.addmm(*flat, up.t()).view(out.shape)

    def _convolved(self, x, out, weights, down, up) -> torch.Tensor:
        assert self.conv is not None
        hidden = self.conv(x, down, **self.settings) * weights
        return out + self.conv(hidden, up.view(*up.shape, *[1] * (down.ndim - 2)))


class _Bypass(torch.nn.Module):
    """What an adapter adds to the output of a module, by ComfyUI's `h`."""

    def __init__(self, module: torch.nn.Module, term: Term) -> None:
        super().__init__()
        self.adapter: Any = copy.copy(term.adapter)
        self.part, self.order = term.part, term.order
        BypassForwardHook(module, self.adapter)  # this tells it about the module
        self.length, weights = _shape(module)[0], list(self.adapter.weights)
        if isinstance(term.adapter, LoKrAdapter) and self.adapter.is_conv:
            _shape_for_convolution(weights, self.adapter)
        self.kept = {n: one for n, one in enumerate(weights) if not torch.is_tensor(one)}
        for number, one in enumerate(weights):
            if torch.is_tensor(one):
                self.register_parameter(f"weight{number}", _kept(one.clone()))
        self.count = len(weights)
        self.adapter.weights = []

    def forward(self, x: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        adapter = copy.copy(self.adapter)
        adapter.weights = [
            self.kept[n] if n in self.kept else self.get_parameter(f"weight{n}").to(x.device)
            for n in range(self.count)
        ]
        dim, start, length = self.part or (0, 0, self.length)
        added = adapter.h(x.narrow(-1, start, length) if dim else x, out)
        channel = 1 if adapter.is_conv else -1
        if self.order is not None:
            added = self.order(added.movedim(channel, 0)).movedim(0, channel)
        if dim or length == self.length:
            return added
        padding = (start, self.length - start - length)
        return F.pad(added.movedim(channel, -1), padding).movedim(-1, channel)


def _kept(weight: torch.Tensor) -> torch.nn.Parameter:
    return torch.nn.Parameter(weight.detach(), requires_grad=False)


def _is_plain(term: Term) -> bool:
    return type(term.adapter) is LoRAAdapter and term.adapter.weights[TUCKER] is None


def _convolution(module: torch.nn.Module):
    """The function of a convolution and its settings; None of a linear layer."""
    if not hasattr(module, "kernel_size"):
        return None, {}
    names = ("stride", "padding", "dilation")
    function = F.conv2d if isinstance(module, torch.nn.Conv2d) else F.conv3d
    return function, {name: getattr(module, name) for name in names}


def _shape(module: Any) -> tuple[int, ...]:
    """The shape of the weight, whatever form it is kept in: (out, in, ...)."""
    if is_linear(module):
        return module.out_features, module.in_features
    return module.out_channels, module.in_channels, *module.kernel_size


def _factors(term: Term, module: torch.nn.Module) -> Factors:
    """The two factors of a plain LoRA, float32: down [r, in, ...] and up [out, r].

    up @ down, with the scale, the order and the part, is what is added to the whole weight.
    """
    up, down, alpha, *_ = term.adapter.weights
    shape, rank = _shape(module), len(down)
    up = up.float().flatten(1) * (1.0 if alpha is None else alpha / rank)
    up, down = up if term.order is None else term.order(up), down.float().flatten(1)
    width = torch.Size(shape[1:]).numel()
    dim, start, length = term.part or (0, 0, shape[0])
    wanted = (length, width) if dim == 0 else (shape[0], length)
    if (len(up), down.shape[1]) != wanted or up.shape[1] != rank:
        raise ValueError(f"it changes {len(up)} x {down.shape[1]} of {wanted[0]} x {wanted[1]}")
    if dim == 0:
        up = F.pad(up, (0, 0, start, shape[0] - start - length))
    else:
        down = F.pad(down, (start, width - start - length))
    return down.view(rank, *shape[1:]), up


def _shape_for_convolution(weights: list, adapter: Any) -> None:
    """The host convolves with these as they are in the file, where they may be flat."""
    kernel = tuple(adapter.kernel_size)
    for place in (W2, W2_B) if weights[T2] is None else ():
        if weights[place] is not None and weights[place].ndim == 2:
            weights[place] = weights[place].unflatten(1, (-1, *kernel))
