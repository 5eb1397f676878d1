"""A LoRA per layer: does each object get its own look, and do its neighbours stay without it?

A ball, a cube and a cone in ordinary colours, which their words do not name, get the looks that
three LoRAs have learned: by a LoRA per layer in one pass, by ComfyUI's LoRA hooks and masks with a
pass for each region, and by all three LoRAs on the whole picture. Every way paints the same
collages with the same noise and seeds. A recogniser that has seen every look on every kind of toy
says which look the cells of a layer have.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from ..judges import judge, looks
from ..pack import host_nodes, load_pack
from ..sheets import save_sheet
from ..train.lora import path_of
from ..train.workshop import WEIGHTS
from ..world.looks import LOOKS, together
from .collages import Case, kinds, to_collage
from .painter import Painter, Sampling
from .placement import means, write

LORAS_SEED, LORAS_TUNING_SEED = 6_700_000, 6_750_000  # apart from each other and all others
SEED = 1
WORLD = "the world's own pictures"
# strengths, each the best of three on collages from LORAS_TUNING_SEED
LAYERS, HOOKS, WHOLE = 2.0, 1.0, 1.0
SHOWN = 0.5  # of a layer's own cells: the object has the look
LEAST_SHARE = 0.015  # of the canvas that must be seen of each object
MEASURES = ("gain", "own cells", "leak", "foreign cells", "change elsewhere", "seconds")

Way = Callable[["LoraPainter", Case], tuple[Any, list]]


def cases(first_seed: int, noise: float) -> Iterator[Case]:
    """Collages without end, every layer with the same noise."""
    while True:
        scene = together(first_seed)
        if scene.visible[2:].mean((1, 2)).min() >= LEAST_SHARE:
            yield Case(first_seed, to_collage(scene, noise), kinds(scene))
        first_seed += 1


class LoraPainter(Painter):
    """The ways to give objects their LoRAs, each a model and a positive conditioning."""

    def __init__(self, sampling: Sampling) -> None:
        super().__init__(sampling)
        import folder_paths  # the host's

        folder_paths.add_model_folder_path("loras", str(WEIGHTS))
        self.files = {kind: load_file(path_of(kind)) for kind in LOOKS}

    def none(self, case: Case) -> tuple[Any, list]:
        return self.patched(case)

    def layers(self, case: Case) -> tuple[Any, list]:
        """Collage Layer LoRA and Masked Cross-Attention Patch: one pass."""
        lora = load_pack().collage_core.collage.layer.LayerLora
        layers = [*case.collage.layers]
        for number, kind in enumerate(case.kinds):
            if kind:
                own = lora(name=path_of(kind).name, strength_model=LAYERS, strength_clip=0.0)
                layers[number] = dataclasses.replace(layers[number], loras=(own,))
        collage = dataclasses.replace(case.collage, layers=tuple(layers))
        return self.patched(dataclasses.replace(case, collage=collage))

    def whole(self, case: Case) -> tuple[Any, list]:
        """Load LoRA three times: every LoRA acts everywhere, words are in their places."""
        plain, load = self.model, host_nodes().LoraLoaderModelOnly().load_lora_model_only
        try:
            for kind in LOOKS:
                (self.model,) = load(self.model, path_of(kind).name, WHOLE)
            return self.patched(case)
        finally:
            self.model = plain

    def hooks(self, case: Case) -> tuple[Any, list]:
        """LoRA hooks and masks: a pass for each object, and one for the rest of the picture."""
        import comfy.hooks

        set_mask = self.nodes.ConditioningSetMask().append
        masks, positive = case.collage.composite.visible_alpha[0], []
        text, rest = case.collage.prompt, torch.ones_like(masks[0])
        for kind, mask in zip(case.kinds, masks, strict=True):
            if kind:
                group = comfy.hooks.create_hook_lora(self.files[kind], HOOKS, 0.0)
                own = comfy.hooks.set_hooks_for_conditioning(self.encode(text), group)
                positive += set_mask(own, mask[None], "default", 1.0)[0]
                rest = rest - mask
        return self.model, positive + set_mask(
            self.encode(text), rest.clamp(0, 1)[None], "default", 1.0
        )[0]


WAYS: dict[str, Way] = {
    "no LoRA": LoraPainter.none,
    "a LoRA per layer": LoraPainter.layers,
    "LoRA hooks and masks": LoraPainter.hooks,
    "all on the whole picture": LoraPainter.whole,
}


def measures(recogniser, case: Case, picture, first, seconds: float) -> torch.Tensor:
    """MEASURES [6] of a picture; first: the same without LoRAs."""
    (seen,) = recogniser(picture[None])
    alpha = case.collage.composite.visible_alpha[0]
    cells = F.avg_pool2d(alpha, judge.CELL) > 0.5
    gains, leaks = [], []
    for kind, own in zip(case.kinds, cells, strict=True):
        if kind:
            look = looks.CLASSES.index(kind)
            gains.append((seen[own] == look).float().mean())
            leaks.append(((seen[own] != look) & (seen[own] > 0)).float().mean())
    own, foreign = torch.stack(gains), torch.stack(leaks)
    rest = 1 - alpha[torch.tensor([bool(kind) for kind in case.kinds])].sum(0).clamp(0, 1)
    change = ((picture - first).abs().mean(-1) * rest).sum() / rest.sum() * 255
    shares = [(own >= SHOWN).float().mean(), own.mean(), (foreign >= SHOWN / 2).float().mean()]
    return torch.tensor([*shares, foreign.mean(), change, seconds])


def run(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """The comparison on `count` unseen collages."""
    compare(islice(cases(LORAS_SEED, noise), count), sampling, folder / f"loras_{noise:g}")


def compare(chosen: Iterable[Case], sampling: Sampling, path: Path) -> None:
    """Write path.png and path.json; a noise in the name, as in "loras_0.95", is no suffix."""
    painter, recogniser = LoraPainter(sampling), looks.Recogniser()
    found: dict[str, list[torch.Tensor]] = {name: [] for name in (WORLD, *WAYS)}
    sheet: list[torch.Tensor] = []
    for number, case in enumerate(chosen, 1):
        drawn = torch.from_numpy(together(case.seed, dressed=True).picture)
        found[WORLD].append(measures(recogniser, case, drawn, drawn, 0.0))
        pictures: dict[str, torch.Tensor] = {}
        for name, way in WAYS.items():
            started = time.process_time()
            pictures[name] = painter.paint(case, way(painter, case), SEED)
            taken = time.process_time() - started
            first = pictures["no LoRA"]
            found[name].append(measures(recogniser, case, pictures[name], first, taken))
        sheet += [case.collage.composite.image[0], *pictures.values()]
        save_sheet(torch.stack(sheet[:40]), Path(f"{path}.png"), columns=len(WAYS) + 1)
        told = {name: rows[-1].numpy().round(3).tolist() for name, rows in found.items()}
        print(number, case.seed, told, flush=True)
    write(table(found), Path(f"{path}.json"))


def table(found: dict[str, list[torch.Tensor]]) -> dict[str, dict[str, float]]:
    """Means and standard errors over the collages, and what the layers' way differs by."""
    each = {name: torch.stack(rows) for name, rows in found.items()}
    ours = each["a LoRA per layer"]
    less = {f"less {name}": ours - rows for name, rows in each.items() if rows is not ours}
    return {name: means(rows, MEASURES) for name, rows in (each | less).items()}
