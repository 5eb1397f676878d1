"""Fidelity against harmony, for noise 0 to 1 of one layer.

Fidelity: how similar the layer's region is to what was pasted. Harmony: how sure a recogniser of
pasted objects is that it belongs there. All other layers have the same noise. The pack's sampler,
the same without growth of what is kept, and ComfyUI's DifferentialDiffusion paint with the same
noise map, prompts and seeds.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch

from .. import world
from ..judges import judge
from ..judges.harmony import harmony, load_harmony
from ..plot import Point, Series, draw
from ..sheets import save_sheet
from .appearance import appearance
from .collages import Case, cases
from .differential import paint_by_mask
from .painter import Painter, Sampling
from .placement import write

HARMONY_SEED = 6_900_000  # apart from those of the other measurements and of training
NOISES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SEEDS = (1, 2)
NODE, HOST = "PerLayerNoiseKSampler", "DifferentialDiffusion"
UNGROWN = "grow_kept_by 0"
COLOURS = {NODE: (20, 90, 200), UNGROWN: (30, 150, 60), HOST: (215, 100, 10)}

SHOWN = 4  # collages on the sheet

# (fidelity, harmony) [2] of each collage, mean of its seeds, by way and noise
Found = dict[str, list[torch.Tensor]]
Table = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Subject:
    """A case and the layer whose noise is varied: its largest object.

    Subject.of(case).with_noise(0.2) is the case in which only this layer has noise 0.2.
    """

    case: Case
    index: int

    @classmethod
    def of(cls, case: Case) -> Subject:
        shares = case.collage.composite.visible_alpha[0].mean((1, 2)).tolist()
        objects = [index for index, kind in enumerate(case.kinds) if kind]
        return cls(case, max(objects, key=lambda index: shares[index]))

    @property
    def mask(self) -> torch.Tensor:
        return self.case.collage.composite.visible_alpha[0, self.index]

    def with_noise(self, noise: float) -> Case:
        """The case with this noise for the one layer."""
        layers = list(self.case.collage.layers)
        layers[self.index] = dataclasses.replace(layers[self.index], noise=noise)
        collage = self.case.collage.with_settings(tuple(layers))
        return dataclasses.replace(self.case, collage=collage)


class Meter:
    """Fidelity and harmony of a subject's region in a picture [256, 256, 3]."""

    def __init__(self) -> None:
        self.judge, self.harmony = judge.load_judge(), load_harmony()

    def __call__(self, subject: Subject, picture: torch.Tensor) -> tuple[float, float]:
        wanted = subject.case.collage.composite.image[0]
        kept = appearance(self.judge, wanted, picture, subject.mask).fidelity
        return kept, harmony(self.harmony, picture, subject.mask)


def ends(painter: Painter, subject: Subject) -> dict[str, list[torch.Tensor]]:
    """The coherent scene and the collage, each after the autoencoder."""
    scene = torch.from_numpy(world.scene(subject.case.seed, "toys", collage=False).picture)
    pictures = {"scene": scene[None], "collage": subject.case.collage.composite.image}
    vae = painter.vae
    return {name: [vae.decode(vae.encode(picture))[0]] for name, picture in pictures.items()}


def every_way(painter: Painter, subject: Subject, noise: float) -> dict[str, list[torch.Tensor]]:
    """One picture a seed by each way of COLOURS, the layer at this noise."""
    case = subject.with_noise(noise)
    conditioned, composite = painter.patched(case), case.collage.composite.image[0]
    found = defaultdict(list)
    for seed in SEEDS:
        picture, noise_map = painter.paint_with_map(case, conditioned, seed)
        found[NODE].append(picture)
        ungrown, _ = painter.paint_with_map(case, conditioned, seed, grow_kept_by=0)
        found[UNGROWN].append(ungrown)
        found[HOST].append(paint_by_mask(painter, composite, conditioned, noise_map, seed))
    return {f"{way} {noise:g}": pictures for way, pictures in found.items()}


def run(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """The curve over `count` unseen collages x 2 seeds; `noise` is that of all other layers."""
    painter, meter = Painter(sampling), Meter()
    found: Found = defaultdict(list)
    sheet: list[torch.Tensor] = []
    for number, case in enumerate(cases(HARMONY_SEED, count, noise), 1):
        subject = Subject.of(case)
        row = ends(painter, subject)
        for share in NOISES:
            row |= every_way(painter, subject, share)
        for name, pictures in row.items():
            seen = torch.tensor([meter(subject, picture) for picture in pictures])
            found[name].append(seen.mean(0))
        for way in COLOURS if number <= SHOWN else ():
            names = ("collage", *(f"{way} {share:g}" for share in NOISES), "scene")
            sheet += [row[name][0] for name in names]
        print(f"{number} of {count} collages", flush=True)
    rows = table(found)
    write(rows, folder / f"harmony_{noise:g}.json")
    save_sheet(torch.stack(sheet), folder / f"harmony_{noise:g}_sheet.png", len(NOISES) + 2)
    draw_curve(rows, folder / f"harmony_{noise:g}.png")


def table(found: Found) -> Table:
    """Means and standard errors over the collages, and differences of the ways."""
    rows = {name: columns(torch.stack(each)) for name, each in found.items()}
    for share in NOISES:
        node, ungrown, host = (torch.stack(found[f"{way} {share:g}"]) for way in COLOURS)
        rows[f"node less host {share:g}"] = columns(node - host)
        rows[f"ungrown less host {share:g}"] = columns(ungrown - host)
        rows[f"ungrown less node {share:g}"] = columns(ungrown - node)
    return rows


def columns(each: torch.Tensor) -> dict[str, float]:
    """[collages, 2] -> the mean of fidelity and of harmony, and their standard errors."""
    count = len(each)
    errors = each.std(0) / count**0.5 if count > 1 else torch.zeros(2)
    row: dict[str, float] = {"collages": count}
    for name, mean, error in zip(("fidelity", "harmony"), each.mean(0), errors, strict=True):
        row |= {name: round(mean.item(), 3), f"{name}_error": round(error.item(), 3)}
    return row


def draw_curve(rows: Table, path: Path) -> None:
    series = []
    for way, colour in COLOURS.items():
        points = []
        for share in NOISES:
            at = rows[f"{way} {share:g}"]
            errors = (at["fidelity_error"], at["harmony_error"])
            points.append(Point(at["fidelity"], at["harmony"], f"{share:g}", *errors))
        series.append(Series(way, colour, tuple(points), label_below=way == HOST))
    levels = {
        "coherent scene, through the autoencoder": rows["scene"]["harmony"],
        "collage as pasted, through the autoencoder": rows["collage"]["harmony"],
    }
    names = ("fidelity to the layer as pasted", "harmony with its surroundings")
    draw(series, levels, names, path)
