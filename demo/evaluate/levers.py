"""The levers one after the other: plain harmonisation, + attention, + tokens, + per-layer noise.

Each way adds one lever to the one before. Spatial fidelity: the share of objects that the judge
finds inside their own masks. Appearance fidelity and harmony: those of the one object whose words
do not tell its look. Every collage is painted with the same seeds by all ways; its look is
learned once, by the preset `default`.
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
from .harmony import Meter, Subject
from .learning import Learning, Method
from .levers_table import CLAIMS, MEASURES, WAYS, claims, table
from .looks import Look, looks
from .placement import FOUND, own_shares

LEVERS_SEED = 7_600_000  # apart from those of the other measurements and of training
SEEDS = (1, 2, 3)
KEPT = 0.5  # noise of the one object, where it has its own


class Levers:
    """Paints a look's collage by every way, and measures what came out."""

    def __init__(self, steps: int, cfg: float) -> None:
        self.learning, self.meter = Learning(steps, cfg), Meter()
        self.painter = self.learning.painter

    def ways(self, look: Look) -> Iterator[tuple[Case, tuple[Any, list]]]:
        """Collage, model and conditioning of each of WAYS."""
        names = kinds(world.scene(look.seed, "toys"))
        learned, _ = self.learning.learn(look, Method("default", "default"), seed=1)
        known = look.with_layer(dataclasses.replace(look.layer, embedding=learned))
        own = known.with_layer(dataclasses.replace(known.layer, noise=KEPT))
        cases = [Case(look.seed, each.collage, names) for each in (look, look, known, own)]
        for way, case in zip(WAYS, cases, strict=True):
            tell = self.painter.plain if way == "plain" else self.painter.patched
            yield case, tell(case)

    def measure(self, look: Look, case: Case, picture: torch.Tensor) -> tuple[float, ...]:
        """One value for each of MEASURES."""
        shares = own_shares(case, judge.look(self.meter.judge, picture[None])[0])
        found = sum(share >= FOUND for share in shares) / len(shares)
        return found, *self.meter(Subject(case, look.index), picture)


def run(count: int, noise: float, steps: int, cfg: float, folder: Path) -> None:
    """The levers on `count` unseen collages x 3 seeds."""
    levers = Levers(steps, cfg)
    found = torch.zeros(count, len(WAYS), len(SEEDS), len(MEASURES))
    sheet: list[torch.Tensor] = []
    for number, look in enumerate(looks(LEVERS_SEED, count, noise)):
        sheet.append(look.collage.composite.image[0])
        for index, (case, told) in enumerate(levers.ways(look)):
            pictures = [levers.painter.paint(case, told, seed) for seed in SEEDS]
            seen = [levers.measure(look, case, picture) for picture in pictures]
            found[number, index] = torch.tensor(seen)
            sheet.append(pictures[0])
        print(f"{number + 1} of {count} collages", flush=True)
    text = f"{table(found)}\n\n{claims(found)}\n"
    rows = {way: found[:, index].tolist() for index, way in enumerate(WAYS)}
    raw = json.dumps({"measures": MEASURES, "claims": CLAIMS} | rows)
    write_whole(folder / f"levers_{noise:g}.json", raw + "\n", replace=True)
    write_whole(folder / f"levers_{noise:g}.md", text, replace=True)
    save_sheet(torch.stack(sheet), folder / f"levers_{noise:g}.png", columns=1 + len(WAYS))
    print(f"\n{text}")
