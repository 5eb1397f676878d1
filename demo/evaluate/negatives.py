"""Words that a layer must not show: does it lose them, and do the other layers keep theirs?

The words of one object, "ball", leave its colour open. It is painted once, and the colour that came
out is what it must not show from then on. The words of another object name that colour, "red cube".
Three ways paint both with the same noise and seeds: without a negative prompt, with the colour as
the negative prompt of the whole picture, and as the negative of the one layer.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from .. import world
from ..judges import judge
from ..sheets import save_sheet
from .collages import SCENERY, Case, kinds, to_collage
from .painter import Painter, Sampling
from .placement import write

NEGATIVES_SEED = 6_600_000  # apart from those of the other measurements and of training
LEAST_SHARE = 0.02  # of the canvas
SHOWS = 0.5  # share of an object's own cells in which the judge must see the colour
SEEDS = (1, 2)
WAYS = ("none", "whole picture", "layer")
COLORS = judge.COLORS[1:]


@dataclass(frozen=True)
class Open:
    """A case, a layer whose words leave its colour open, and one whose words name a colour.

    Open(case, layer=2, other=3): "ball" beside "red cube".
    """

    case: Case
    layer: int
    other: int

    def replaced(self, index: int, **changes: str) -> Open:
        """With other words of a layer; its `text` changes in the prompt, too."""
        collage = self.case.collage
        layers, text = list(collage.layers), collage.layers[index].text
        layers[index] = dataclasses.replace(layers[index], **changes)
        prompt = collage.prompt.replace(text, layers[index].text)
        collage = dataclasses.replace(collage, prompt=prompt, layers=tuple(layers))
        return dataclasses.replace(self, case=dataclasses.replace(self.case, collage=collage))

    def named(self, color: str) -> Open:
        """With this colour in the words of the other layer."""
        words = self.case.collage.layers[self.other].text.split()
        text = " ".join(color if word in COLORS else word for word in words)
        return self.replaced(self.other, text=text)


def opened(first_seed: int, noise: float) -> Iterator[Open]:
    """Cases without end, every layer with the same noise."""
    while True:
        scene = world.scene(first_seed, "toys")
        large = [
            index
            for index, layer in enumerate(scene.layers)
            if layer.kind not in SCENERY
            and {*layer.phrase.split()} & {*COLORS}
            and scene.visible[index].mean() >= LEAST_SHARE
            and scene.caption.count(layer.phrase) == 1
            and scene.caption.count(layer.kind) == 1
        ]
        if len(large) > 1:
            case = Case(first_seed, to_collage(scene, noise), kinds(scene))
            one, other = large[:2]
            yield Open(case, one, other).replaced(one, text=scene.layers[one].kind)
        first_seed += 1


class Meter:
    """Which colours the judge sees in the layers of a picture."""

    def __init__(self) -> None:
        self.judge = judge.load_judge()

    def shares(self, picture: torch.Tensor, what: Open, index: int) -> torch.Tensor:
        """The share of a layer's cells [len(COLORS)] that have each colour."""
        (seen,) = judge.recognise(self.judge, picture[None])
        mask = what.case.collage.composite.visible_alpha[0, index]
        own = seen.colors[F.avg_pool2d(mask[None], judge.CELL)[0] > 0.5]
        return torch.stack([(own == number).float().mean() for number in range(1, len(COLORS) + 1)])

    def color(self, picture: torch.Tensor, what: Open) -> str:
        """The colour that the open layer has got; "" where it is none for sure."""
        shares = self.shares(picture, what, what.layer)
        return COLORS[int(shares.argmax())] if shares.max() >= SHOWS else ""

    def shows(self, picture: torch.Tensor, what: Open, color: str) -> list[float]:
        """1 or 0 for the open layer and for the other one."""
        at = COLORS.index(color)
        both = (what.layer, what.other)
        return [float(self.shares(picture, what, index)[at] >= SHOWS) for index in both]


def painted(painter: Painter, what: Open, color: str, seed: int) -> dict[str, torch.Tensor]:
    """By way: the picture, with the other layer named by the colour."""
    what = what.named(color)
    told = what.replaced(what.layer, negative=color).case
    model, positive, negative = painter.patch(told)
    plain, whole = painter.patched(what.case), painter.encode(color)
    return {
        "none": painter.paint(what.case, plain, seed),
        "whole picture": painter.paint(what.case, plain, seed, whole),
        "layer": painter.paint(told, (model, positive), seed, negative),
    }


def run(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """The comparison on `count` unseen collages x 2 seeds."""
    painter, meter = Painter(sampling), Meter()
    found: dict[str, list[torch.Tensor]] = defaultdict(list)
    sheet: list[torch.Tensor] = []
    for what in opened(NEGATIVES_SEED, noise):
        first = {seed: painter.paint(what.case, painter.patched(what.case), seed) for seed in SEEDS}
        colors = {seed: meter.color(picture, what) for seed, picture in first.items()}
        if not all(colors.values()):
            continue
        rows: dict[str, list[list[float]]] = defaultdict(list)
        for seed, color in colors.items():
            pictures = painted(painter, what, color, seed)
            sheet += [first[seed], *pictures.values()] if seed == SEEDS[0] else []
            for name, picture in pictures.items():
                rows[name].append(meter.shows(picture, what, color))
        for name, each in rows.items():
            found[name].append(torch.tensor(each).mean(0))
        done = len(found["none"])
        print(f"{done} of {count} collages: {colors}, {dict(rows)}", flush=True)
        if done == count:
            break
    write(table(found), folder / f"negatives_{noise:g}.json")
    save_sheet(torch.stack(sheet[:64]), folder / f"negatives_{noise:g}.png", columns=8)


def table(found: dict[str, list[torch.Tensor]]) -> dict[str, dict[str, float]]:
    """Shares that show the colour, with standard errors over the collages, and differences."""
    each = {name: torch.stack(found[name]) for name in WAYS}
    less = {f"layer less {name}": each["layer"] - each[name] for name in WAYS[:-1]}
    return {name: _columns(rows) for name, rows in (each | less).items()}


def _columns(rows: torch.Tensor) -> dict[str, float]:
    """[collages, 2], of the layer and of the other one."""
    errors = rows.std(0) / len(rows) ** 0.5 if len(rows) > 1 else torch.zeros(2)
    row: dict[str, float] = {"collages": len(rows)}
    for name, mean, error in zip(("layer", "other"), rows.mean(0), errors, strict=True):
        row |= {name: round(mean.item(), 3), f"{name}_error": round(error.item(), 3)}
    return row
