"""How well the demo model obeys its prompts, measured by the judge.

Prompts are captions of toy scenes with one to four objects, from seeds that no training set holds.
Every prompt is painted once from pure noise through the host's own sampler. The table gives the
share of named objects that appear and, of those with a colour or pattern word, the share that
have it; beside it the same for the world's own pictures of these prompts, which is the ceiling.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from collage_core.storage.atomic_write import write_whole

from .. import world
from ..judges import judge
from ..pack import host_nodes
from ..sheets import save_sheet
from ..world.toys.arrangement import GROUNDS
from .painter import Sampling, load_models

FIRST_SEED = 5_000_000


@dataclass(frozen=True)
class Thing:
    """What a caption names: color is "" where it names none, pattern an element of PATTERNS."""

    kind: str
    color: str
    pattern: str


@dataclass(frozen=True)
class Prompt:
    """A caption, its objects without the scenery, and the world's own picture [256, 256, 3]."""

    caption: str
    things: tuple[Thing, ...]
    picture: torch.Tensor


def unseen_prompts(count: int) -> list[Prompt]:
    """Captions of toy scenes, spread evenly over one to four objects."""
    found: dict[int, list[Prompt]] = {1: [], 2: [], 3: [], 4: []}
    seed = FIRST_SEED
    while min(len(prompts) for prompts in found.values()) < count // 4:
        scene = world.scene(seed, "toys", collage=False)
        things = tuple(_thing(t) for t in scene.things if t.kind not in GROUNDS)
        if len(found[len(things)]) < count // 4:
            picture = torch.from_numpy(scene.picture)
            found[len(things)].append(Prompt(scene.caption, things, picture))
        seed += 1
    return [prompt for prompts in found.values() for prompt in prompts]


def _thing(placed) -> Thing:
    pattern = judge.PATTERNS[judge.pattern_of(placed.phrase)]
    return Thing(placed.kind, placed.color, pattern)


def paint(captions: list[str], sampling: Sampling) -> torch.Tensor:
    """[N, 256, 256, 3] in [0, 1]: one picture a caption, from pure noise, seed = its number."""
    model, clip, vae = load_models(sampling.network)
    channels = model.model.latent_format.latent_channels
    empty = clip.encode_from_tokens_scheduled(clip.tokenize(""))
    pictures = []
    for number, caption in enumerate(captions):
        positive = clip.encode_from_tokens_scheduled(clip.tokenize(caption))
        latent = {"samples": torch.zeros(1, channels, 32, 32)}
        solver = (sampling.steps, sampling.cfg, sampling.sampler, "normal")
        options = (number, *solver, positive, empty, latent)
        samples = host_nodes().common_ksampler(model, *options)[0]["samples"]
        pictures.append(vae.decode(samples))
        if len(pictures) % 20 == 0:
            print(f"{len(pictures)} of {len(captions)} pictures", flush=True)
    return torch.cat(pictures)


Row = tuple[bool, bool | None, bool | None]  # appears, has the colour, has the pattern


def score(prompts: list[Prompt], pictures: torch.Tensor) -> dict[str, dict[str, float]]:
    """Per number of objects and for all: objects named, and the shares that are as named."""
    rows: dict[str, list[Row]] = {}
    for prompt, seen in zip(prompts, judge.recognise(judge.load_judge(), pictures), strict=True):
        for thing in prompt.things:
            for row in (f"{len(prompt.things)} objects", "all"):
                rows.setdefault(row, []).append(_judged(thing, prompt.things, seen))
    return {row: _shares(found) for row, found in rows.items()}


def _judged(thing: Thing, things: tuple[Thing, ...], seen: judge.Sighting) -> Row:
    """Several things of a kind need as many times its cells, or one would stand for all."""

    def shows(**words: str) -> bool:
        alike = [t for t in things if t.kind == thing.kind]
        alike = [t for t in alike if all(getattr(t, k) == word for k, word in words.items())]
        return seen.shows(thing.kind, **words, count=len(alike))

    color = shows(color=thing.color) if thing.color else None
    pattern = shows(pattern=thing.pattern) if thing.pattern else None
    return shows(), color, pattern


def _shares(found: list[Row]) -> dict[str, float]:
    def share(index: int) -> float:
        told = [row[index] for row in found if row[index] is not None]
        return round(sum(map(bool, told)) / max(len(told), 1), 3)

    return {
        "objects": len(found),
        "appear": share(0),
        "right_color": share(1),
        "right_pattern": share(2),
    }


def run(count: int, sampling: Sampling, folder: Path) -> None:
    prompts = unseen_prompts(count)
    with torch.inference_mode():
        pictures = paint([prompt.caption for prompt in prompts], sampling)
    real = torch.stack([prompt.picture for prompt in prompts])
    table = {"painted": score(prompts, pictures), "world": score(prompts, real)}
    spread = torch.linspace(0, len(pictures) - 1, min(40, len(pictures))).long()
    save_sheet(pictures[spread], folder / "prompts.png", columns=8)
    write_whole(folder / "prompts.json", json.dumps(table, indent=1), replace=True)
    for source, rows in table.items():
        for row, shares in rows.items():
            print(source, row, json.dumps(shares))
