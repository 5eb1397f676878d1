"""Words that a layer must not show: does it lose them, and does the rest stay as it was?

The words of one object, "ball", leave its colour open. It is painted once, and the colour that came
out is what it must not show: as the negative prompt of the whole picture, and as the negative of
the one layer, with the same noise and seed. Beside it stands how far everything else has changed,
and whether another object, whose words name a colour, still has that.
"""

from __future__ import annotations

import dataclasses
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
from .placement import means, write

NEGATIVES_SEED = 6_600_000  # apart from those of the other measurements and of training
LEAST_SHARE = 0.02  # of the canvas
SHOWS = 0.3  # share of an object's own cells in which the judge must see the colour
SEEDS = (1, 2)
WAYS = ("none", "whole picture", "layer")
MEASURES = ("forbidden", "other's own", "change elsewhere")
COLORS = judge.COLORS[1:]


@dataclass(frozen=True)
class Open:
    """A case, a layer whose words leave its colour open, and one whose words name a colour.

    Open(case, layer=2, other=3): "ball" beside "red cube".
    """

    case: Case
    layer: int
    other: int

    def replaced(self, **changes: str) -> Open:
        """With other words of the open layer; its `text` changes in the prompt, too."""
        collage, layers = self.case.collage, list(self.case.collage.layers)
        layers[self.layer] = dataclasses.replace(layers[self.layer], **changes)
        prompt = collage.prompt.replace(collage.layers[self.layer].text, layers[self.layer].text)
        collage = dataclasses.replace(collage, prompt=prompt, layers=tuple(layers))
        return dataclasses.replace(self, case=dataclasses.replace(self.case, collage=collage))

    @property
    def named(self) -> str:
        """The colour in the words of the other layer."""
        return next(w for w in self.case.collage.layers[self.other].text.split() if w in COLORS)


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
            yield Open(case, one, other).replaced(text=scene.layers[one].kind)
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

    def measures(
        self, picture: torch.Tensor, first: torch.Tensor, what: Open, color: str
    ) -> torch.Tensor:
        """MEASURES [3]: is the colour shown, is the other's own, and the mean change outside."""
        shown = (
            self.shares(picture, what, index)[COLORS.index(word)] >= SHOWS
            for index, word in ((what.layer, color), (what.other, what.named))
        )
        outside = 1 - what.case.collage.composite.visible_alpha[0, what.layer]
        change = ((picture - first).abs().mean(-1) * outside).sum() / outside.sum() * 255
        return torch.tensor([*map(float, shown), float(change)])


def painted(
    painter: Painter, what: Open, first: torch.Tensor, color: str, seed: int
) -> dict[str, torch.Tensor]:
    """By way: the picture."""
    told = what.replaced(negative=color).case
    model, positive, negative = painter.patch(told)
    whole = painter.encode(color)
    return {
        "none": first,
        "whole picture": painter.paint(what.case, painter.patched(what.case), seed, whole),
        "layer": painter.paint(told, (model, positive), seed, negative),
    }


def run(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """The comparison on `count` unseen collages; 2 seeds, where both give the object a colour."""
    painter, meter = Painter(sampling), Meter()
    found: dict[str, list[torch.Tensor]] = {name: [] for name in WAYS}
    sheet: list[torch.Tensor] = []
    for what in opened(NEGATIVES_SEED, noise):
        rows: dict[str, list[torch.Tensor]] = {name: [] for name in WAYS}
        for seed in SEEDS:
            first = painter.paint(what.case, painter.patched(what.case), seed)
            if color := meter.color(first, what):
                pictures = painted(painter, what, first, color, seed)
                sheet += pictures.values()
                for name, picture in pictures.items():
                    rows[name].append(meter.measures(picture, first, what, color))
                print(what.case.seed, color, {n: r[-1].tolist() for n, r in rows.items()})
        if rows["none"]:
            for name, each in rows.items():
                found[name].append(torch.stack(each).mean(0))
            print(f"{len(found['none'])} of {count} collages", flush=True)
        if len(found["none"]) == count:
            break
    write(table(found), folder / f"negatives_{noise:g}.json")
    save_sheet(torch.stack(sheet[:63]), folder / f"negatives_{noise:g}.png", columns=9)


def table(found: dict[str, list[torch.Tensor]]) -> dict[str, dict[str, float]]:
    """Means and standard errors over the collages, and the differences of the last way."""
    each = {name: torch.stack(found[name]) for name in WAYS}
    less = {f"layer less {name}": each["layer"] - each[name] for name in WAYS[:-1]}
    return {name: means(rows, MEASURES) for name, rows in (each | less).items()}
