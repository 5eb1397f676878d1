"""What each control achieves as a table, and whether the differences are those the paper claims."""

from __future__ import annotations

import torch

WAYS = ("plain", "+ attention", "+ tokens", "+ per-layer noise")
MEASURES = ("spatial fidelity", "appearance fidelity", "harmony")

# way, measure, its sign against the way before (Sarukkai et al. 2024, sections 4 and 5)
CLAIMS = (
    ("+ attention", "spatial fidelity", 1),
    ("+ tokens", "appearance fidelity", 1),
    ("+ per-layer noise", "appearance fidelity", 1),
    ("+ per-layer noise", "harmony", -1),
)
SURE = 2  # standard errors over the collages


def table(found: torch.Tensor) -> str:
    """[collages, ways, seeds, measures] -> the mean of each way, and its range over the seeds."""
    lines = [["", *MEASURES]]
    by_seed = found.mean(0)
    for way, seeds in zip(WAYS, by_seed, strict=True):
        means, least, most = seeds.mean(0), seeds.amin(0), seeds.amax(0)
        columns = zip(means.tolist(), least.tolist(), most.tolist(), strict=True)
        lines.append(
            [way, *(f"{mean:.3f} ({low:.3f} to {high:.3f})" for mean, low, high in columns)]
        )
    text = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([text[0], "|---" * len(lines[0]) + "|", *text[1:]])


def claims(found: torch.Tensor) -> str:
    """Each claim with the difference between paired collages."""
    lines = []
    by_collage = found.mean(2)
    for way, measure, sign in CLAIMS:
        at, column = WAYS.index(way), MEASURES.index(measure)
        gain = by_collage[:, at, column] - by_collage[:, at - 1, column]
        mean = gain.mean().item()
        error = (gain.std() / len(gain) ** 0.5).item() if len(gain) > 1 else float("inf")
        claimed = f"{way} {'raises' if sign > 0 else 'lowers'} {measure}"
        lines.append(f"- {claimed}: {verdict(sign * mean, error)} ({mean:+.3f}, error {error:.3f})")
    return "\n".join(lines)


def verdict(gain: float, error: float) -> str:
    """`gain` in the claimed direction."""
    if abs(gain) <= SURE * error:
        return "not decided"
    return "as claimed" if gain > 0 else "the other way round"
