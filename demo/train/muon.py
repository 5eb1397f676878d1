"""Muon (Jordan et al. 2024): momentum whose singular values are all made about one.

All directions of a weight matrix learn at the same rate, which halves the number of pictures that
training needs. torch's own Muon takes matrices only; here a convolution counts as the matrix
[out, in * h * w]. Embeddings, first and last layers and vectors are AdamW's.
"""

from __future__ import annotations

import torch

from . import workshop

MOMENTUM, DECAY = 0.95, 0.01


class Muon(torch.optim.Optimizer):
    """For parameters of two and more dimensions; `lr` is about the root mean square of a step."""

    def __init__(self, parameters: list[torch.nn.Parameter], lr: float):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):  # type: ignore[override]
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group["lr"])

    def _update(self, parameter: torch.nn.Parameter, rate: float) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        momentum = state.setdefault("momentum", torch.zeros_like(gradient))
        momentum.lerp_(gradient, 1 - MOMENTUM)
        direction = orthogonal(gradient.lerp(momentum, MOMENTUM).flatten(1))
        parameter.mul_(1 - rate * DECAY)
        parameter.add_(direction.view_as(parameter), alpha=-rate)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """[m, n] -> its singular vectors with singular values near sqrt(max(1, m / n)).

    Five Newton-Schulz steps with Jordan's coefficients; bfloat16 is exact enough here.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.mT if tall else matrix).to(workshop.fast_dtype())
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = torch.addmm(
            x, torch.addmm(gram, gram, gram, beta=-4.7750, alpha=2.0315), x, beta=3.4445
        )
    scale = max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5
    return (x.mT if tall else x).to(matrix.dtype) * scale
