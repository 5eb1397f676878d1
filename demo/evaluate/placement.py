"""Are objects where their layers are? Plain harmonisation, the pack's node, ComfyUI's masks.

Every way binds phrases to regions differently and paints the same collages with the same noise,
seeds and sampler. The judge looks for each object inside its own visible mask, and in the collage
itself too, because it cannot find in a picture what it does not recognise in the collage.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F

from collage_core.storage.atomic_write import write_whole

from .. import world
from ..judges import judge
from ..sheets import save_sheet
from .collages import LEAST_SHARE, REPORT_SEED, Case, cases
from .painter import Painter, Sampling

FOUND = 0.3  # share of an object's own cells in which the judge must see it


def own_shares(case: Case, seen: judge.Sighting) -> list[float]:
    """For each large object: the share of its cells that the judge recognises as this object."""
    cells = F.avg_pool2d(case.collage.composite.visible_alpha[0], judge.CELL) > 0.5
    return [
        (seen.kinds[own] == world.KINDS.index(kind)).float().mean().item()
        for kind, own in zip(case.kinds, cells, strict=True)
        if kind and own.float().mean() >= LEAST_SHARE
    ]


def summary(shares: list[float]) -> dict[str, float]:
    found = torch.tensor(shares)
    return {
        "objects": len(shares),
        "found": round((found >= FOUND).float().mean().item(), 3),
        "own_cells": round(found.mean().item(), 3),
    }


def compare(before: list[float], after: list[float]) -> dict[str, int]:
    """How many objects each of two ways found alone, both found, or neither found."""
    pairs = [(a >= FOUND, b >= FOUND) for a, b in zip(before, after, strict=True)]
    won, lost = sum(b and not a for a, b in pairs), sum(a and not b for a, b in pairs)
    return {"won": won, "lost": lost, "tied": len(pairs) - won - lost}


def run(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """The comparison on `count` unseen collages x 2 seeds."""
    painter, model = Painter(sampling), judge.load_judge()
    ways = {"plain": painter.plain, "node": painter.patched, "host_masks": painter.host_masks}
    shares: dict[str, list[float]] = {name: [] for name in ("collage", *ways)}
    sheet, gains = [], []
    for number, case in enumerate(cases(REPORT_SEED, count, noise), 1):
        conditioned = {name: way(case) for name, way in ways.items()}
        for seed in (1, 2):
            row = {name: painter.paint(case, how, seed) for name, how in conditioned.items()}
            row = {"collage": case.collage.composite.image[0], **row}
            seen = judge.recognise(model, torch.stack(list(row.values())))
            own = {name: own_shares(case, s) for name, s in zip(row, seen, strict=True)}
            for name, found in own.items():
                shares[name] += found
            gains.append((sum(own["node"]) - sum(own["plain"]), len(gains), row))
            sheet += row.values() if seed == 1 else []
        if number % 5 == 0:
            print(f"{number} of {count} collages", flush=True)
    table = {name: summary(found) for name, found in shares.items()}
    table |= {f"node against {n}": compare(shares[n], shares["node"]) for n in ways if n != "node"}
    write(table, folder / f"placement_{noise:g}.json")
    save_sheet(torch.stack(sheet[:64]), folder / f"placement_{noise:g}.png", columns=8)
    best, worst = max(gains)[2], min(gains)[2]
    for name, row in (("most_gained", best), ("most_lost", worst)):
        pictures = torch.stack([row[way] for way in ("collage", "plain", "node")])
        save_sheet(pictures, folder / f"placement_{noise:g}_{name}.png", columns=3)


def means(rows: torch.Tensor, measures: Sequence[str]) -> dict[str, float]:
    """[collages, measures] -> the mean of every measure and its standard error."""
    errors = rows.std(0) / len(rows) ** 0.5 if len(rows) > 1 else torch.zeros(len(measures))
    row: dict[str, float] = {"collages": len(rows)}
    for name, mean, error in zip(measures, rows.mean(0), errors, strict=True):
        row |= {name: round(mean.item(), 3), f"{name}, error": round(error.item(), 3)}
    return row


def write(table: dict, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(table, indent=1) + "\n", replace=True)
    for row, values in table.items():
        print(row, json.dumps(values))
