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
    """Loshchilov and Hutter, arXiv 1711.05101, with the defaults of torch.optim.AdamW."""

    def __init__(self, start: Vectors, *, decay: float = 1e-2) -> None:
        self.decay = decay
        self.restart(start)

    def step(self, gradients: Vectors, rate: float) -> None:
        self.steps += 1
        for name, gradient in gradients.items():
            self.mean[name] = torch.lerp(gradient, self.mean[name], 0.9)
            self.square[name] = torch.lerp(gradient**2, self.square[name], 0.999)
            mean = self.mean[name] / (1 - 0.9**self.steps)
            square = self.square[name] / (1 - 0.999**self.steps)
            kept = self.vectors[name] * (1 - rate * self.decay)
            self.vectors[name] = kept - rate * mean / (square.sqrt() + 1e-8)

    def restart(self, vectors: Vectors) -> None:
        self.vectors = {name: value.clone() for name, value in vectors.items()}
        self.mean = {name: torch.zeros_like(value) for name, value in vectors.items()}
        self.square = {name: torch.zeros_like(value) for name, value in vectors.items()}
        self.steps = 0

    def state_dict(self) -> Vectors:
        steps = {"": torch.tensor(self.steps)}
        return _named(vectors=self.vectors, mean=self.mean, square=self.square, steps=steps)

    def load_state_dict(self, state: Vectors) -> None:
        self.vectors = _part(state, "vectors")
        self.mean, self.square = _part(state, "mean"), _part(state, "square")
        self.steps = int(state["steps."])


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
