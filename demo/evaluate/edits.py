"""How many bytes change outside of an edit.

Each round edits one object of a painted picture. Three ways edit the same picture for five rounds
with the same prompts, noise map and seeds: the pack's nodes with CollagePasteBack, the same without
it, and ComfyUI's SetLatentNoiseMask with DifferentialDiffusion.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..sheets import save_sheet
from .collages import LEAST_SHARE, Case, cases
from .differential import paint_by_mask
from .painter import Painter, Sampling
from .placement import write

EDIT_SEED = 6_950_000  # apart from those of the other measurements and of training
ROUNDS = 5
OBJECTS = 4  # the most a toy scene has: the last round comes back to the first of them
SEED = 1
NODES, BARE, HOST = "with paste back", "without paste back", "DifferentialDiffusion"
WAYS = (NODES, BARE, HOST)


@dataclass(frozen=True)
class Round:
    """A picture [256, 256, 3] in [0, 1] before and after an edit; its region [256, 256]."""

    before: torch.Tensor
    after: torch.Tensor
    region: torch.Tensor


def saved(picture: torch.Tensor) -> torch.Tensor:
    """The bytes that the host's SaveImage writes, as int."""
    return (picture * 255).clamp(0, 255).byte().int()


def count_changes(turn: Round) -> Counter[str]:
    """Sums over the bytes inside and outside of the region."""
    change = (saved(turn.after) - saved(turn.before)).abs()
    inside, outside = change[turn.region], change[~turn.region]
    return Counter(
        inside=inside.numel(),
        inside_sum=int(inside.sum()),
        outside=outside.numel(),
        outside_sum=int(outside.sum()),
        outside_changed=int((outside > 0).sum()),
    )


def summary(turns: list[Counter[str]]) -> dict[str, Any]:
    """Changed bytes outside and their share; mean changes in steps of 1/255, with their range."""
    total = sum(turns, Counter())
    one_by_one = [_means(counts) for counts in turns]
    row: dict[str, Any] = {"changed_outside": total["outside_changed"]}
    for name, value in _means(total).items():
        row[name] = value
        row[f"{name}_range"] = [pick(means[name] for means in one_by_one) for pick in (min, max)]
    return row


def _means(counts: Counter[str]) -> dict[str, float]:
    outside = max(counts["outside"], 1)
    return {
        "share_outside": round(counts["outside_changed"] / outside, 4),
        "mean_outside": round(counts["outside_sum"] / outside, 3),
        "mean_inside": round(counts["inside_sum"] / max(counts["inside"], 1), 3),
    }


def busy_cases(count: int, noise: float) -> list[tuple[Case, list[int]]]:
    """`count` collages with at least OBJECTS large objects, and the layers of these objects."""
    found: list[tuple[Case, list[int]]] = []
    seed = EDIT_SEED
    while len(found) < count:
        case = cases(seed, 1, noise)[0]
        shares = case.collage.composite.visible_alpha[0].mean((1, 2)).tolist()
        named = zip(case.kinds, shares, strict=True)
        large = [index for index, (kind, share) in enumerate(named) if kind and share > LEAST_SHARE]
        if len(large) >= OBJECTS:
            found.append((case, large))
        seed = case.seed + 1
    return found


class Editor:
    """The picture and the collage of one way, from edit to edit."""

    def __init__(self, painter: Painter, way: str, case: Case, picture: torch.Tensor) -> None:
        self.painter, self.way = painter, way
        self.case, self.picture = case, picture

    def edit(self, index: int, noise: float, seed: int) -> Round:
        """Redraw one layer; the region is the mask that CollagePasteBack gives."""
        nodes, before = self.painter.pack.nodes.editing, self.picture
        collage, start, noise_map, *_ = nodes.CollageEdit.execute(
            self.case.collage, before[None], str(index + 1), noise, "", 4.0, False
        ).args
        self.case = dataclasses.replace(self.case, collage=collage)
        conditioned = self.painter.patched(self.case)
        if self.way == HOST:
            new = paint_by_mask(self.painter, start[0], conditioned, noise_map, seed)
        else:
            new = self.painter.paint(self.case, conditioned, seed)
        back, mask = nodes.CollagePasteBack.execute(before[None], new[None], 4.0, collage).args
        self.picture = back[0] if self.way == NODES else new
        return Round(before, self.picture, mask[0] > 0)


def run(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """Five rounds on `count` unseen collages by each way; `noise` is that of the edited layer."""
    painter = Painter(sampling)
    counts: dict[str, list[Counter[str]]] = defaultdict(list)
    sheet: list[torch.Tensor] = []
    for number, (case, objects) in enumerate(busy_cases(count, noise), 1):
        first = painter.paint(case, painter.patched(case), SEED)
        for way in WAYS:
            editor = Editor(painter, way, case, first)
            turns = [
                editor.edit(objects[turn % len(objects)], noise, SEED + 1 + turn)
                for turn in range(ROUNDS)
            ]
            counts[way] += [count_changes(turn) for turn in turns]
            named = torch.stack([turn.region for turn in turns]).any(0)
            whole = Round(first, editor.picture, named)
            counts[f"{way}, after all rounds"].append(count_changes(whole))
            sheet += [first, *(turn.after for turn in turns)]
        print(f"{number} of {count} collages", flush=True)
    table = {name: summary(found) for name, found in counts.items()}
    write(table, folder / f"edits_{noise:g}.json")
    save_sheet(torch.stack(sheet), folder / f"edits_{noise:g}.png", columns=1 + ROUNDS)
