"""Does painting keep the edges of a collage, with the structure network and without it?

Both ways paint every collage with the same noise, seeds and sampler. Edges come from the pack's own
Canny; an edge is found if the other picture has an edge within REACH pixels. The collage after the
autoencoder alone is the upper bound, the edges of another collage are chance level. `change` is the
mean difference from the collage in 1/255: of the autoencoder alone, its error.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch
import torch.nn.functional as F

from ..sheets import save_sheet
from .collages import Case, cases
from .painter import Painter, Sampling
from .placement import write

STRUCTURE_SEED = 6_800_000  # apart from those of the other measurements and of training
REACH = 2  # pixels


def count_edges(wanted: torch.Tensor, painted: torch.Tensor) -> Counter[str]:
    """Edges [B, H, W, 3], 0 or 1, of the collage and of the result -> how many were found."""
    wanted, painted = (edges[..., :1].movedim(-1, 1) for edges in (wanted, painted))
    near_wanted, near_painted = (
        F.max_pool2d(edges, 2 * REACH + 1, stride=1, padding=REACH) for edges in (wanted, painted)
    )
    return Counter(
        wanted=int(wanted.sum()),
        found=int((wanted * near_painted).sum()),
        painted=int(painted.sum()),
        meant=int((painted * near_wanted).sum()),
    )


def summary(counts: Counter[str]) -> dict[str, float]:
    """Recall of the collage's edges, precision of the result's edges, and F-score."""
    found = counts["found"] / max(counts["wanted"], 1)
    meant = counts["meant"] / max(counts["painted"], 1)
    both = 2 * found * meant / max(found + meant, 1e-9)
    return {"found": round(found, 3), "meant": round(meant, 3), "f_score": round(both, 3)}


def change(one: torch.Tensor, other: torch.Tensor) -> float:
    """The mean difference of two pictures in [0, 1], in 1/255."""
    return 255 * (one - other).abs().mean().item()


class Ways:
    """A collage painted without the structure network and with it."""

    def __init__(self, sampling: Sampling) -> None:
        self.painter = Painter(sampling)
        nodes = self.painter.pack.nodes
        self.node = nodes.control.CollageControlNet
        self.network = nodes.demo_model.CollageDemoControlNet.execute().args[0]
        self.find_edges = nodes.host.control.conditioning.find_edges

    def paint(self, case: Case, seed: int) -> dict[str, torch.Tensor]:
        """The collage, the collage after the autoencoder, and both ways: [256, 256, 3] each."""
        painter, composite = self.painter, case.collage.composite.image
        model, positive = painter.patched(case)
        settings = {"strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}
        controlled, negative, _ = self.node.execute(
            positive, painter.negative, self.network, case.collage, **settings
        ).args
        return {
            "collage": composite[0],
            "autoencoder": painter.vae.decode(painter.vae.encode(composite))[0],
            "without": painter.paint(case, (model, positive), seed),
            "with": painter.paint(case, (model, controlled), seed, negative),
        }


def run(count: int, noise: float, sampling: Sampling, folder: Path) -> None:
    """The comparison on `count` unseen collages x 2 seeds."""
    ways = Ways(sampling)
    counts: dict[str, Counter[str]] = {}
    changes: dict[str, list[float]] = {}
    sheet, another = [], None
    for number, case in enumerate(cases(STRUCTURE_SEED, count, noise), 1):
        wanted = ways.find_edges(case.collage.composite.image)
        for seed in (1, 2):
            row = ways.paint(case, seed)
            found = {name: ways.find_edges(row[name][None]) for name in [*row][1:]}
            for name in found:
                changes.setdefault(name, []).append(change(row["collage"], row[name]))
            if another is not None:
                found["another collage"] = another
            for name, edges in found.items():
                counts.setdefault(name, Counter()).update(count_edges(wanted, edges))
            sheet += row.values() if seed == 1 else []
        another = wanted
        if number % 5 == 0:
            print(f"{number} of {count} collages", flush=True)
    table = {name: summary(found) for name, found in counts.items()}
    for name, each in changes.items():
        table[name]["change"] = round(sum(each) / len(each), 1)
    write(table, folder / f"structure_{noise:g}.json")
    save_sheet(torch.stack(sheet[:64]), folder / f"structure_{noise:g}.png", columns=8)
