"""Every sampler of ComfyUI on one collage: are locked cells kept, and free cells painted?

One layer has noise 0, one little noise, the other layers and the background much. Every sampler
paints this collage with the demo model, with both values of `renoise`. ComfyUI's KSampler paints it
too, without the pack and without a mask, to show what the sampler alone does on this model.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from collage_core.storage.atomic_write import write_whole
from launcher.arguments import at_least

from ..evaluate.collages import cases
from ..evaluate.painter import Painter, Sampling
from ..pack import ROOT
from ..sheets import save_sheet

SEED = 6_700_000  # apart from those of the other measurements and of training
LOCKED, LITTLE, MUCH = 0.0, 0.3, 0.9
WAYS = ("host", "paper")
PLAIN = ("little", "much", "spread")
PAINTED = 0.1  # of the latent's own spread: what changed less was not painted
WILD = 3.0  # times the spread of the composite's latent
FURTHER = 1.6  # times what little noise changes by the host's KSampler alone
CLIPPED = 0.5  # share of the decoded values at black or white


@dataclasses.dataclass(frozen=True)
class Found:
    """The result for one value of `renoise`.

    Largest change of locked cells, root mean square change of cells with little and with much
    noise, and standard deviation of the result, all in units of the standard deviation of the
    composite's latent; share of decoded values that are black or white."""

    kept: float
    little: float
    much: float
    spread: float
    clipped: float

    def verdict(self, alone: float) -> str:
        """What is wrong, or "good"; `alone` is `little` for ComfyUI's KSampler."""
        numbers = dataclasses.astuple(self)
        if not all(number == number and abs(number) != float("inf") for number in numbers):
            return "not finite"
        wrong = {
            "locked cells changed": self.kept > 0,
            "free cells are not painted": self.much < PAINTED,
            "little noise changes more than by itself": self.little > FURTHER * alone,
            "diverged": self.spread > WILD or self.clipped > CLIPPED,
        }
        return ", ".join(name for name, is_so in wrong.items() if is_so) or "good"


class Trial:
    """The collage, its latent, and which cells are whose."""

    def __init__(self, steps: int, cfg: float) -> None:
        self.painter = Painter(Sampling(steps, cfg))
        case = next(c for c in cases(SEED, 40, MUCH) if len(c.collage.layers) >= 4)
        layers = list(case.collage.layers)
        for index, noise in ((-1, LOCKED), (-2, LITTLE)):
            layers[index] = dataclasses.replace(layers[index], noise=noise)
        collage = case.collage.with_layers(tuple(layers))
        self.case = dataclasses.replace(case, collage=collage)
        self.conditioned = self.painter.patched(self.case)
        self.original = self.painter.vae.encode(collage.composite.image)
        core = self.painter.pack.collage_core
        pixels = core.noise.noise_map.collage_noise(collage, MUCH, 0.0)
        self.cells = core.noise.noise_map.cell_noise(pixels, 8)

    def pack(self, name: str, renoise: str) -> torch.Tensor:
        """The latent that PerLayerNoiseKSampler makes."""
        model, positive = self.conditioned
        return self.painter.pack.nodes.sampling.PerLayerNoiseKSampler.execute(
            model=model,
            collage=self.case.collage,
            vae=self.painter.vae,
            positive=positive,
            base_noise=MUCH,
            feather=0.0,
            renoise=renoise,
            **self._common(name),
        ).args[0]["samples"]

    def host(self, name: str, noise: float) -> torch.Tensor:
        """The latent that the host's KSampler makes of the same composite, at this noise
        everywhere and in as many steps as the pack's sampler takes from there on."""
        model, positive = self.painter.plain(self.case)
        common = self._common(name) | {
            "steps": max(1, round(self.painter.sampling.steps * noise / MUCH))
        }
        latent = {"samples": self.original}
        return self.painter.nodes.common_ksampler(
            model=model, positive=positive, latent=latent, denoise=noise, **common
        )[0]["samples"]

    def _common(self, name: str) -> dict[str, Any]:
        return {
            "negative": self.painter.negative,
            "seed": 1,
            "steps": self.painter.sampling.steps,
            "cfg": self.painter.sampling.cfg,
            "sampler_name": name,
            "scheduler": "normal",
        }

    def judge(self, latent: torch.Tensor) -> tuple[Found, torch.Tensor]:
        """What became of the cells, and the picture [256, 256, 3]."""
        picture = self.painter.vae.decode(latent)[0]
        unit = self.original.std()
        change = (latent - self.original) / unit
        locked = self.cells == LOCKED
        little = (self.cells - LITTLE).abs() < 0.01
        much = (self.cells - MUCH).abs() < 0.01

        def moved(cells: torch.Tensor) -> float:
            return change[cells.expand_as(change)].square().mean().sqrt().item()

        clipped = ((picture < 0.004) | (picture > 0.996)).float().mean().item()
        kept = change[locked.expand_as(change)].abs().max().item()
        spread = (latent.std() / unit).item()
        return Found(kept, moved(little), moved(much), spread, clipped), picture


def main(arguments: Sequence[str]) -> None:
    options = _options(arguments)
    host = import_module("comfy.samplers").KSampler
    names = options.samplers or host.SAMPLERS
    options.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    rows, pictures = [], []
    with torch.inference_mode():
        trial = Trial(2 if options.quick else options.steps, options.cfg)
        for name in names:
            row, painted = _row(trial, name)
            rows.append(row)
            pictures += painted
            print(f"{len(rows)} of {len(names)}: {name}: {row['verdict']}", flush=True)
    raw = json.dumps(rows, indent=1)
    write_whole(options.output / "samplers.json", raw + "\n", replace=True)
    text = table(rows)
    write_whole(options.output / "table.md", text + "\n", replace=True)
    save_sheet(torch.stack(pictures), options.output / "sheet.png", columns=12)
    print(text)
    bad = [row["sampler"] for row in rows if row["verdict"] != "good"]
    print(f"\n{len(rows) - len(bad)} of {len(rows)} are good. Not good: {', '.join(bad) or 'none'}")
    if bad and not options.quick:
        raise SystemExit(1)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench samplers", description=__doc__)
    parser.add_argument("--samplers", type=lambda text: text.split(","), help="only these")
    parser.add_argument("--steps", type=at_least(1), default=20)
    parser.add_argument("--cfg", type=float, default=4.0)
    parser.add_argument("--quick", action="store_true", help="two steps, to try this out")
    parser.add_argument("--output", type=Path, default=ROOT / "output" / "bench" / "samplers")
    return parser.parse_args(arguments)


def _row(trial: Trial, name: str) -> tuple[dict[str, Any], list[torch.Tensor]]:
    """The figures of one sampler; pictures of the host alone and of both ways of keeping."""
    started = time.perf_counter()
    alone, picture = trial.judge(trial.host(name, MUCH))
    little = trial.judge(trial.host(name, LITTLE))[0].little
    found, pictures = {}, [picture]
    for way in WAYS:
        found[way], picture = trial.judge(trial.pack(name, way))
        pictures.append(picture)
    said = {way: f.verdict(little) for way, f in found.items()}
    verdicts = [f"{way}: {verdict}" for way, verdict in said.items() if verdict != "good"]
    if verdicts and alone.spread > WILD:
        verdicts.append("so does the host's KSampler")
    return {
        "sampler": name,
        "alone": dataclasses.asdict(alone) | {"little": little},
        **{way: dataclasses.asdict(f) for way, f in found.items()},
        "seconds": round(time.perf_counter() - started, 1),
        "verdict": "; ".join(verdicts) or "good",
    }, pictures


def table(rows: Sequence[dict[str, Any]]) -> str:
    head = ["sampler", "alone: little", "much", "spread"]
    for way in WAYS:
        head += [f"{way}: locked", "little", "much", "spread"]
    lines = [[*head, "verdict"]]
    for row in rows:
        line = [row["sampler"], *(f"{row['alone'][what]:.2f}" for what in PLAIN)]
        for way in WAYS:
            line.append(f"{row[way]['kept']:g}")
            line += [f"{row[way][what]:.2f}" for what in PLAIN]
        lines.append([*line, row["verdict"]])
    text = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([text[0], "|---" * len(lines[0]) + "|", *text[1:]])
