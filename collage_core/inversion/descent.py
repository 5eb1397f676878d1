"""Where the learned vectors start, and the optimizers that move them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch

from ..storage.embedding_file import Vectors

TILT_RADIANS = 0.02  # between copies of one word


def word_norm(table: torch.Tensor) -> float:
    """The mean norm of a vocabulary's word vectors [V, width]; equal norms count once."""
    return table.float().norm(dim=-1).unique().mean().item()


def start_vectors(
    words: torch.Tensor, count: int, norm: float | None, rng: torch.Generator
) -> torch.Tensor:
    """Word vectors [W, width] -> [count, width]: the words in turn, with this norm or their own.

    A repeated word is tilted a little: equal vectors would get equal gradients and stay equal.
    """
    rows = words.float()[torch.arange(count) % len(words)]
    noise = torch.randn(rows.shape, generator=rng).to(rows)
    repeated = (torch.arange(count) >= len(words)).unsqueeze(1).to(rows)
    lengths = rows.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    unit = rows / lengths
    across = _tangent(noise, unit)
    unit = unit + TILT_RADIANS * repeated * across / across.norm(dim=-1, keepdim=True).clamp(
        min=1e-12
    )
    return unit / unit.norm(dim=-1, keepdim=True) * (lengths if norm is None else norm)


class Optimizer(ABC):
    """Moves `vectors` against their gradients.

        optimizer = SphereDescent({"l": torch.randn(2, 768)})
        optimizer.step({"l": gradient}, rate=0.02)
        optimizer.state_dict()  # {"vectors.l": [2, 768], "velocity.l": [2, 768]}

    After `load_state_dict` the following steps give the same bits as without an interruption.
    """

    vectors: Vectors

    @abstractmethod
    def step(self, gradients: Vectors, rate: float) -> None: ...

    @abstractmethod
    def restart(self, vectors: Vectors) -> None:
        """Continue from these vectors without momentum."""

    @abstractmethod
    def _state(self) -> dict[str, Vectors]:
        """The vectors and the momentum: {"vectors": {"l": ...}, "velocity": {"l": ...}}."""

    @abstractmethod
    def _set_state(self, state: dict[str, Vectors]) -> None: ...

    def state_dict(self) -> Vectors:
        return {
            f"{kind}.{name}": value.clone()
            for kind, named in self._state().items()
            for name, value in named.items()
        }

    def load_state_dict(self, state: Vectors) -> None:
        kinds: dict[str, Vectors] = {}
        for key, value in state.items():
            kind, _, name = key.partition(".")
            kinds.setdefault(kind, {})[name] = value.clone()
        self._set_state(kinds)


class SphereDescent(Optimizer):
    """Directional textual inversion (arXiv 2512.13672): every vector keeps its norm.

    A step turns each vector by the angle `rate`, in radians, against the momentum of its tangent
    gradients; `kappa` pulls it towards its start.
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
        self.vectors = {name: value.clone() for name, value in vectors.items()}
        self.velocity = {name: torch.zeros_like(value) for name, value in vectors.items()}

    def _state(self) -> dict[str, Vectors]:
        return {"vectors": self.vectors, "velocity": self.velocity}

    def _set_state(self, state: dict[str, Vectors]) -> None:
        self.vectors, self.velocity = state["vectors"], state["velocity"]


class AdamW(Optimizer):
    """torch.optim.AdamW (Loshchilov and Hutter, arXiv 1711.05101) for named vectors."""

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
        self.vectors = {name: value.detach().clone() for name, value in vectors.items()}
        own = list(self.vectors.values())
        self._optimizer = torch.optim.AdamW(own, weight_decay=self.decay, foreach=False)

    def _state(self) -> dict[str, Vectors]:
        state: dict[str, Vectors] = {"vectors": self.vectors}
        for name, vectors in self.vectors.items():
            for kind, value in self._optimizer.state[vectors].items():
                state.setdefault(kind, {})[name] = value
        return state

    def _set_state(self, state: dict[str, Vectors]) -> None:
        self.restart(state.pop("vectors"))
        for kind, named in state.items():
            for name, value in named.items():
                self._optimizer.state[self.vectors[name]][kind] = value


def angle(vectors: Vectors, start: Vectors) -> float:
    """The largest angle in degrees between a vector and its start."""
    cosines = [(_unit(vectors[name]) * _unit(start[name])).sum(-1) for name in vectors]
    return math.degrees(math.acos(max(-1.0, min(1.0, torch.cat(cosines).min().item()))))


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    """Vectors of norm 1; zero stays zero."""
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=torch.finfo(vectors.dtype).tiny)


def _tangent(vectors: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
    """The part of the vectors that is orthogonal to the unit vectors."""
    return vectors - (vectors * unit).sum(-1, keepdim=True) * unit
