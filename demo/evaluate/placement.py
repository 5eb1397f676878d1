"""Are objects where their layers are? Plain harmonisation, the pack's node, ComfyUI's masks.

Every way binds phrases to regions differently and paints the same collages with the same noise,
seeds and sampler. The judge looks for each object inside its own visible mask, and in the collage
itself too, because it cannot find in a picture what it does not recognise in the collage.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from collage_core.storage.atomic_write import write_whole

from .. import world
from ..judges import judge
from ..pack import host_nodes, load_pack
from ..sheets import save_sheet
from .collages import LEAST_SHARE, REPORT_SEED, TUNING_SEED, Case, cases, with_strengths

FOUND = 0.3  # share of an object's own cells in which the judge must see it
SWEEP = ((0.0, 0.5), (0.3, 0.0), (0.3, 0.5), (0.6, 1.0), (1.0, 1.0), (2.0, 2.0))


class Painter:
    """The demo model, and the ways to bind phrases to regions."""

    def __init__(self, steps: int, cfg: float) -> None:
        self.pack, self.nodes = load_pack(), host_nodes()
        self.model, self.clip, self.vae = self.pack.nodes.host.demo_model.load_all()
        self.steps, self.cfg = steps, cfg
        self.negative = self._encode("")

    def _encode(self, text: str) -> list:
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(text))

    def plain(self, case: Case) -> tuple[object, list]:
        """The whole prompt everywhere."""
        return self.model, self._encode(case.collage.prompt)

    def patched(self, case: Case) -> tuple[object, list]:
        """MaskedCrossAttentionPatch with the layers' attract and repel."""
        node = self.pack.nodes.attention.MaskedCrossAttentionPatch
        return node.execute(self.model, self.clip, case.collage, "paper", 1.0, 0.0, 1.0).args[:2]

    def host_masks(self, case: Case) -> tuple[object, list]:
        """ComfyUI's ConditioningSetMask: one prompt a region, and the whole prompt everywhere."""
        set_mask = self.nodes.ConditioningSetMask().append
        positive = self._encode(case.collage.prompt)
        for layer, mask in zip(
            case.collage.shown, case.collage.composite.visible_alpha[0], strict=True
        ):
            positive += set_mask(self._encode(layer.text), mask[None], "default", 1.0)[0]
        return self.model, positive

    def paint(
        self, case: Case, conditioned: tuple[Any, list], seed: int, negative: list | None = None
    ) -> torch.Tensor:
        """The case painted by a way: [256, 256, 3] in [0, 1]; `negative` is that of the way."""
        return self.paint_with_map(case, conditioned, seed, negative)[0]

    def paint_with_map(
        self, case: Case, conditioned: tuple[Any, list], seed: int, negative: list | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The same, and the noise map [1, 256, 256]."""
        model, positive = conditioned
        sampler = self.pack.nodes.sampling.PerLayerNoiseKSampler
        latent, noise_map = sampler.execute(
            model=model,
            collage=case.collage,
            vae=self.vae,
            positive=positive,
            negative=negative or self.negative,
            seed=seed,
            steps=self.steps,
            cfg=self.cfg,
            sampler_name="euler_ancestral",
            scheduler="normal",
            base_noise=case.collage.layers[0].noise,
            feather=4.0,
        ).args[:2]
        return self.vae.decode(latent["samples"])[0], noise_map


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


def run(count: int, noise: float, steps: int, cfg: float, folder: Path) -> None:
    """The comparison on `count` unseen collages x 2 seeds."""
    painter, model = Painter(steps, cfg), judge.load_judge()
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


def sweep(count: int, noise: float, steps: int, cfg: float, folder: Path) -> None:
    """Several attract and repel on other collages, for the choice of defaults."""
    painter, model = Painter(steps, cfg), judge.load_judge()
    chosen = cases(TUNING_SEED, count, noise)
    table = {}
    for attract, repel in ((0.0, 0.0), *SWEEP):
        shares = []
        for case in chosen:
            set_up = with_strengths(case, attract, repel)
            picture = painter.paint(set_up, painter.patched(set_up), seed=1)
            shares += own_shares(case, judge.recognise(model, picture[None])[0])
        table[f"attract {attract:g}, repel {repel:g}"] = summary(shares)
        print(attract, repel, table[f"attract {attract:g}, repel {repel:g}"], flush=True)
    write(table, folder / f"sweep_{noise:g}.json")


def write(table: dict, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(table, indent=1) + "\n", replace=True)
    for row, values in table.items():
        print(row, json.dumps(values))
