"""How learnable vectors move: on a sphere by the direction of the gradient alone, or by AdamW.

Both take and give {name: [n, width] float32} and keep their state in a flat dictionary, so that
a run that was cut off goes on as if it had not been.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch

Vectors = dict[str, torch.Tensor]


class Descent(Protocol):
    vectors: Vectors

    def step(self, gradients: Vectors, rate: float) -> None: ...
    def restart(self, vectors: Vectors) -> None: ...
    def state_dict(self) -> Vectors: ...
    def load_state_dict(self, state: Vectors) -> None: ...


class SphereDescent:
    """Directional textual inversion (arXiv 2512.13672): every vector keeps its norm.

    A step turns each vector by the angle `rate` against the momentum of its tangent gradients;
    `kappa` pulls it towards where it started.
    """

    def __init__(self, start: Vectors, *, kappa: float = 1e-4, momentum: float = 0.9) -> None:
        self.start = {name: _unit(vectors) for name, vectors in start.items()}
        self.norms = {name: vectors.norm(dim=-1, keepdim=True) for name, vectors in start.items()}
        self.kappa, self.momentum = kappa, momentum
        self.restart(start)

    def step(self, gradients: Vectors, rate: float) -> None:
        for name, gradient in gradients.items():
            unit = _unit(self.vectors[name])
            kept = self.momentum * _tangent(self.velocity[name], unit)
            velocity = kept + _tangent(gradient - self.kappa * self.start[name], unit)
            turned = math.cos(rate) * unit - math.sin(rate) * _unit(velocity)
            self.velocity[name] = velocity
            self.vectors[name] = self.norms[name] * _unit(turned)

    def restart(self, vectors: Vectors) -> None:
        """Go on from these vectors without momentum."""
        self.vectors = {name: value.clone() for name, value in vectors.items()}
        self.velocity = {name: torch.zeros_like(value) for name, value in vectors.items()}

    def state_dict(self) -> Vectors:
        return _named(vectors=self.vectors, velocity=self.velocity)

    def load_state_dict(self, state: Vectors) -> None:
        self.vectors = _part(state, "vectors")
        self.velocity = _part(state, "velocity")


class AdamW:
    """torch.optim.AdamW (Loshchilov and Hutter, arXiv 1711.05101) over named vectors."""

    def __init__(self, start: Vectors, *, decay: float = 1e-2) -> None:
        self.decay = decay
        self.restart(start)

    def step(self, gradients: Vectors, rate: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        for name, gradient in gradients.items():
            self.vectors[name].grad = gradient
        self._optimizer.step()

    def restart(self, vectors: Vectors) -> None:
        """Go on from these vectors without momentum."""
        self.vectors = {name: value.detach().clone() for name, value in vectors.items()}
        own = list(self.vectors.values())
        self._optimizer = torch.optim.AdamW(own, weight_decay=self.decay, foreach=False)

    def state_dict(self) -> Vectors:
        kept = {
            f"{what}.{name}": value.clone()
            for name, vectors in self.vectors.items()
            for what, value in self._optimizer.state[vectors].items()
        }
        return kept | _named(vectors=self.vectors)

    def load_state_dict(self, state: Vectors) -> None:
        self.restart(_part(state, "vectors"))
        for what in ("step", "exp_avg", "exp_avg_sq"):
            for name, value in _part(state, what).items():
                self._optimizer.state[self.vectors[name]][what] = value


def angle(vectors: Vectors, start: Vectors) -> float:
    """The largest angle in degrees between vectors and where they started."""
    cosines = [(_unit(vectors[name]) * _unit(start[name])).sum(-1) for name in vectors]
    return math.degrees(math.acos(max(-1.0, min(1.0, torch.cat(cosines).min().item()))))


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    """Zero stays zero."""
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=torch.finfo(vectors.dtype).tiny)


def _tangent(vectors: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
    return vectors - (vectors * unit).sum(-1, keepdim=True) * unit


def _named(**groups: Vectors) -> Vectors:
    return {
        f"{group}.{name}": value.clone()
        for group, named in groups.items()
        for name, value in named.items()
    }


def _part(state: Vectors, group: str) -> Vectors:
    prefix = f"{group}."
    return {k.removeprefix(prefix): v.clone() for k, v in state.items() if k.startswith(prefix)}
