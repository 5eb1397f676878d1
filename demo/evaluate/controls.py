"""One control after the other: plain harmonisation, + attention, + tokens, + per-layer noise.

Each way adds one control to the way before. Spatial fidelity is the share of objects that the judge
finds inside their own masks. Appearance fidelity and harmony are those of the concept, the one
object whose text leaves its appearance open. All ways paint a collage with the same seeds; its
embedding is learned once, by the preset `default`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from collage_core.storage.atomic_write import write_whole

from .. import world
from ..judges import judge
from ..sheets import save_sheet
from .collages import Case, kinds
from .concepts import Concept, concepts
from .controls_table import CLAIMS, MEASURES, WAYS, claims, table
from .harmony import Meter, Subject
from .learning import Learning, Method
from .painter import Sampling
from .placement import FOUND, own_shares

CONTROLS_SEED = 7_600_000  # apart from those of the other measurements and of training
SEEDS = (1, 2, 3)
KEPT = 0.5  # noise of the one object, where it has its own


class Controls:
    """Paints the collage of a concept by every way, and measures the pictures."""

    def __init__(self, sampling: Sampling) -> None:
        self.learning, self.meter = Learning(sampling), Meter()
        self.painter = self.learning.painter

    def ways(self, concept: Concept) -> Iterator[tuple[Case, tuple[Any, list]]]:
        """Collage, model and conditioning of each of WAYS."""
        names = kinds(world.scene(concept.seed, "toys"))
        learned, _ = self.learning.learn(concept, Method("default", "default"), seed=1)
        known = concept.with_layer(dataclasses.replace(concept.layer, embedding=learned))
        own = known.with_layer(dataclasses.replace(known.layer, noise=KEPT))
        cases = [Case(concept.seed, each.collage, names) for each in (concept, concept, known, own)]
        for way, case in zip(WAYS, cases, strict=True):
            condition = self.painter.plain if way == "plain" else self.painter.patched
            yield case, condition(case)

    def measure(self, concept: Concept, case: Case, picture: torch.Tensor) -> tuple[float, ...]:
        """One value for each of MEASURES."""
        shares = own_shares(case, judge.recognise(self.meter.judge, picture[None])[0])
        found = sum(share >= FOUND for share in shares) / len(shares)
        return found, *self.meter(Subject(case, concept.index), picture)


def run(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """The controls on `count` unseen collages x 3 seeds."""
    controls = Controls(sampling)
    found = torch.zeros(count, len(WAYS), len(SEEDS), len(MEASURES))
    sheet: list[torch.Tensor] = []
    for number, concept in enumerate(concepts(CONTROLS_SEED, count, noise)):
        sheet.append(concept.collage.composite.image[0])
        for index, (case, conditioned) in enumerate(controls.ways(concept)):
            pictures = [controls.painter.paint(case, conditioned, seed) for seed in SEEDS]
            seen = [controls.measure(concept, case, picture) for picture in pictures]
            found[number, index] = torch.tensor(seen)
            sheet.append(pictures[0])
        print(f"{number + 1} of {count} collages", flush=True)
    text = f"{table(found)}\n\n{claims(found)}\n"
    rows = {way: found[:, index].tolist() for index, way in enumerate(WAYS)}
    raw = json.dumps({"measures": MEASURES, "claims": CLAIMS} | rows)
    write_whole(folder / f"controls_{noise:g}.json", raw + "\n", replace=True)
    write_whole(folder / f"controls_{noise:g}.md", text, replace=True)
    save_sheet(torch.stack(sheet), folder / f"controls_{noise:g}.png", columns=1 + len(WAYS))
    print(f"\n{text}")
