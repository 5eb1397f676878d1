"""How well the demo model obeys its prompts, measured by the judge.

Prompts are captions of toy scenes with one to four objects, from seeds that no training set
contains. ComfyUI's sampler paints every prompt once from pure noise. The table
has the share of named objects that appear and, of those with a colour word, the share that
have it; the contact sheet shows the first pictures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from collage_core.storage.atomic_write import write_whole

from .. import world
from ..judges import judge
from ..pack import host_nodes, load_pack
from ..sheets import save_sheet

FIRST_SEED = 5_000_000
SCENERY = {"wall", "table", "floor", "cloth"}


@dataclass(frozen=True)
class Prompt:
    caption: str
    things: tuple[tuple[str, str], ...]  # (kind, colour) of every object, scenery left out


def unseen_prompts(count: int) -> list[Prompt]:
    """Captions of toy scenes, spread evenly over one to four objects."""
    found: dict[int, list[Prompt]] = {1: [], 2: [], 3: [], 4: []}
    seed = FIRST_SEED
    while min(len(prompts) for prompts in found.values()) < count // 4:
        scene = world.scene(seed, "toys", collage=False)
        things = tuple((t.kind, t.color) for t in scene.things if t.kind not in SCENERY)
        if len(found[len(things)]) < count // 4:
            found[len(things)].append(Prompt(scene.caption, things))
        seed += 1
    return [prompt for prompts in found.values() for prompt in prompts]


def paint(prompts: list[Prompt], steps: int, cfg: float) -> torch.Tensor:
    """[N, 256, 256, 3] in [0, 1]: one picture a prompt, from pure noise; its index is the seed."""
    model, clip, vae = load_pack().nodes.host.demo_model.load_all()
    empty = clip.encode_from_tokens_scheduled(clip.tokenize(""))
    pictures = []
    for number, prompt in enumerate(prompts):
        positive = clip.encode_from_tokens_scheduled(clip.tokenize(prompt.caption))
        latent = {"samples": torch.zeros(1, 4, 32, 32)}
        options = (number, steps, cfg, "euler_ancestral", "normal", positive, empty, latent)
        samples = host_nodes().common_ksampler(model, *options)[0]["samples"]
        pictures.append(vae.decode(samples))
        if len(pictures) % 20 == 0:
            print(f"{len(pictures)} of {len(prompts)} pictures", flush=True)
    return torch.cat(pictures)


def score(prompts: list[Prompt], pictures: torch.Tensor) -> dict[str, dict[str, float]]:
    """By number of objects and for all: objects named, share found, share in the right colour."""
    sightings = judge.recognise(judge.load_judge(), pictures)
    rows: dict[str, list[tuple[bool, bool | None]]] = {}
    for prompt, seen in zip(prompts, sightings, strict=True):
        for kind, color in prompt.things:
            appears = seen.appears(kind)
            right = color in seen.color_of(kind) if color else None
            for row in (f"{len(prompt.things)} objects", "all"):
                rows.setdefault(row, []).append((appears, right))
    return {row: _shares(found) for row, found in rows.items()}


def _shares(found: list[tuple[bool, bool | None]]) -> dict[str, float]:
    colored = [right for _, right in found if right is not None]
    return {
        "objects": len(found),
        "appear": round(sum(appears for appears, _ in found) / len(found), 3),
        "right_color": round(sum(colored) / max(len(colored), 1), 3),
    }


def run(count: int, steps: int, cfg: float, folder: Path) -> None:
    prompts = unseen_prompts(count)
    with torch.inference_mode():
        pictures = paint(prompts, steps, cfg)
    table = score(prompts, pictures)
    spread = torch.linspace(0, len(pictures) - 1, min(40, len(pictures))).long()
    save_sheet(pictures[spread], folder / "prompts.png", columns=8)
    write_whole(folder / "prompts.json", json.dumps(table, indent=1), replace=True)
    for row, shares in table.items():
        print(row, json.dumps(shares))
