"""Muon (Jordan et al. 2024): momentum whose singular values are all made about one.

All directions of a weight matrix learn at the same rate, which halves the number of pictures that
training needs. torch's own Muon takes matrices only; here a convolution counts as the matrix
[out, in * h * w]. Embeddings, first and last layers and vectors are AdamW's.
"""

from __future__ import annotations

from collections import defaultdict

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
            alike = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for parameters in alike.values():
                self._update(parameters, group["lr"])

    def _update(self, parameters: list[torch.nn.Parameter], rate: float) -> None:
        """Update parameters of one shape together: a GPU would wait for many small products."""
        for parameter in parameters:
            if "momentum" not in self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        found = [one.grad.flatten(1) for one in parameters if one.grad is not None]
        gradients = torch.stack(found)
        kept = [self.state[parameter]["momentum"] for parameter in parameters]
        momentum = torch.stack([one.flatten(1) for one in kept]).lerp_(gradients, 1 - MOMENTUM)
        directions = orthogonal(gradients.lerp(momentum, MOMENTUM))
        for parameter, own, new, direction in zip(
            parameters, kept, momentum, directions, strict=True
        ):
            own.copy_(new.view_as(own))
            parameter.mul_(1 - rate * DECAY)
            parameter.add_(direction.view_as(parameter), alpha=-rate)


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """[..., m, n] -> singular vectors with singular values near sqrt(max(1, m / n)).

    Five Newton-Schulz steps with Jordan's coefficients; bfloat16 is exact enough here.
    """
    m, n = matrices.shape[-2:]
    x = (matrices.mT if m > n else matrices).to(workshop.fast_dtype())
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    scale = max(1, m / n) ** 0.5
    return (x.mT if m > n else x).to(matrices.dtype) * scale
