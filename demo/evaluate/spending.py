"""What the bias of words buys: place, colour and harmony, beside what other methods buy.

`sweep` tries ways to spend the bias on tuning collages; `peers` compares the defaults and the
choice with other methods on reported ones. All paint the same collages with the same seeds. Own
cells: the share of an object's visible cells that the judge sees as this object; colour: the share
that it sees in the object's named colour; harmony: how sure the recogniser of pasted objects is
that the object belongs there. Each is the mean of a picture's large objects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from collage_core.attention.bias import DEFAULT_SCHEDULE

from ..judges import judge
from ..judges.harmony import harmony, load_harmony
from ..sheets import save_sheet
from .collages import LEAST_SHARE, REPORT_SEED, TUNING_SEED, Case, cases, with_strengths
from .painter import Painter, Sampling
from .peers import attention_couple, dense_diffusion
from .placement import own_shares, write

SEEDS = (1, 2)
MEASURES = ("own_cells", "colour", "harmony")
SHOWN = 8  # collages on the sheet

Way = Callable[[Painter, Case], tuple[Any, list]]


@dataclass(frozen=True)
class Spending:
    """Settings of the node and of every layer, such as Spending(0.6, 1.0, schedule="constant")."""

    attract: float = 0.3
    repel: float = 0.5
    schedule: str = DEFAULT_SCHEDULE
    end: float = 1.0

    def __call__(self, painter: Painter, case: Case) -> tuple[Any, list]:
        case = with_strengths(case, self.attract, self.repel)
        return painter.patched(case, schedule=self.schedule, end=self.end)


SWEEP: dict[str, Way] = {
    DEFAULT_SCHEDULE: Spending(),
    "half": Spending(0.15, 0.25),
    "double": Spending(0.6, 1.0),
    "attract alone": Spending(repel=0.0),
    "repel alone": Spending(attract=0.0),
    "early": Spending(schedule="early"),
    "until 0.4": Spending(end=0.4),
    "constant": Spending(schedule="constant"),
    "paper": Spending(schedule="paper"),
    "paper, double": Spending(0.6, 1.0, "paper"),
}
REPORTED = (DEFAULT_SCHEDULE, "early", "paper")
PEERS: dict[str, Way] = {
    "plain": Painter.plain,
    "ConditioningSetMask": Painter.host_masks,
    "DenseDiffusion": dense_diffusion,
    "attention couple": attention_couple,
}


class Meter:
    """MEASURES of a painted case, [3]; NaN for colour where no large object names one."""

    def __init__(self) -> None:
        self.judge, self.harmony = judge.load_judge(), load_harmony()

    def __call__(self, case: Case, picture: torch.Tensor) -> torch.Tensor:
        seen = judge.recognise(self.judge, picture[None])[0]
        masks = case.collage.composite.visible_alpha[0]
        large = [m for m, kind in zip(masks, case.kinds, strict=True) if kind and is_large(m)]
        belongs = [harmony(self.harmony, picture, mask) for mask in large]
        each = (own_shares(case, seen), colour_shares(case, seen), belongs)
        return torch.tensor([sum(x) / len(x) if x else torch.nan for x in each])


def own_cells(mask: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(mask[None], judge.CELL)[0] > 0.5


def is_large(mask: torch.Tensor) -> bool:
    return own_cells(mask).float().mean().item() >= LEAST_SHARE


def colour_shares(case: Case, seen: judge.Sighting) -> list[float]:
    """For each large object with a colour word: the share of its cells in this colour."""
    shares, masks = [], case.collage.composite.visible_alpha[0]
    for kind, mask, layer in zip(case.kinds, masks, case.collage.shown, strict=True):
        named = [n for n, word in enumerate(judge.COLORS) if word and word in layer.text.split()]
        if kind and named and is_large(mask):
            shares.append((seen.colors[own_cells(mask)] == named[0]).float().mean().item())
    return shares


def measure(
    ways: dict[str, Way], chosen: list[Case], sampling: Sampling, sheet: Path
) -> dict[str, torch.Tensor]:
    """MEASURES of every way: [collages, seeds, 3]; and a sheet, a row for each collage."""
    painter, meter = Painter(sampling), Meter()
    found: dict[str, list[torch.Tensor]] = {name: [] for name in ways}
    shown: list[torch.Tensor] = []
    for number, case in enumerate(chosen, 1):
        shown += [case.collage.composite.image[0]] if number <= SHOWN else []
        for name, way in ways.items():
            conditioned = way(painter, case)
            pictures = [painter.paint(case, conditioned, seed) for seed in SEEDS]
            found[name].append(torch.stack([meter(case, picture) for picture in pictures]))
            shown += pictures[:1] if number <= SHOWN else []
        print(f"{number} of {len(chosen)} collages", flush=True)
    save_sheet(torch.stack(shown), sheet, columns=len(ways) + 1)
    return {name: torch.stack(each) for name, each in found.items()}


def table(found: dict[str, torch.Tensor], base: str) -> dict[str, dict[str, float]]:
    """Means of every way, and its gain over `base` with the standard error over the collages."""
    rows = {}
    for name, each in found.items():
        rows[name] = {}
        for column, measure_ in enumerate(MEASURES):
            gains = (each - found[base])[..., column].nanmean(1)
            gains = gains[~gains.isnan()]
            error = (gains.std() / len(gains) ** 0.5).item() if len(gains) > 1 else torch.nan
            values = (each[..., column].nanmean(), gains.mean(), error)
            for suffix, value in zip(("", "_gain", "_error"), values, strict=True):
                rows[name][measure_ + suffix] = round(float(value), 3)
    return rows


def sweep(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """Ways to spend the bias, on `count` tuning collages x 2 seeds."""
    _compare(
        {"plain": Painter.plain, **SWEEP}, TUNING_SEED, count, noise, sampling, folder / "sweep"
    )


def peers(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """The node beside other methods, on `count` reported collages x 2 seeds."""
    ways = {name: SWEEP[name] for name in REPORTED} | PEERS
    _compare(ways, REPORT_SEED, count, noise, sampling, folder / "peers")


def _compare(
    ways: dict[str, Way], seed: int, count: int, noise: float, sampling: Sampling, stem: Path
) -> None:
    found = measure(ways, cases(seed, count, noise), sampling, Path(f"{stem}_{noise:g}.png"))
    write(table(found, DEFAULT_SCHEDULE), Path(f"{stem}_{noise:g}.json"))
