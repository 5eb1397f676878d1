"""Last stage: one half-precision safetensors file for the pack.

Of the text encoder's 49,408 words only those the captions use were trained; the file keeps
these rows and their mean, which every other word gets when the file is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from . import autoencoder, latents, painter, pictures, workshop

WORDS = "text.text_model.embeddings.token_embedding.weight"
FILE = workshop.WEIGHTS / "demo_model.safetensors"

Weights = dict[str, torch.Tensor]


def pack() -> None:
    kept = workshop.load("diffusion")
    if kept is None:
        raise SystemExit("train: nothing to pack yet. Run the diffusion stage first.")
    vae = autoencoder.load_model()
    weights = dict(kept["average"])
    rows = used_words()
    table = weights.pop(WORDS)
    weights["words.rows"] = rows.int()
    weights["words.vectors"] = table[rows]
    weights["words.rest"] = table[rows].mean(0)
    weights |= {f"vae.{name}": value for name, value in vae.state_dict().items()}
    halves = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
    metadata = {
        "preview": json.dumps(preview_factors(vae)),
        "images": str(kept["seen"]),
        "licence": "MIT",
    }
    write(FILE, halves, metadata)
    workshop.log("pack", images=kept["seen"], bytes=FILE.stat().st_size)


def write(path: Path, weights: Weights, metadata: dict[str, str]) -> None:
    """Replace a weight file of the pack as a whole."""
    partial = path.with_suffix(".partial")
    save_file({k: v.contiguous() for k, v in weights.items()}, partial, metadata)
    partial.chmod(0o644)
    partial.replace(path)


def unpack() -> None:
    """Make the shipped weights the state of the workshop, to train on from where they stand.

    Optimisers start anew; whatever the workshop held is replaced.
    """
    weights, coder, seen = shipped()
    trained, optimizer = painter.resume()
    trained.load(weights)
    trained.average, trained.seen = weights, seen
    painter.keep(trained, optimizer)
    autoencoder.keep_weights(coder)


def shipped() -> tuple[Weights, Weights, int]:
    """What the pack ships: weights of text encoder and UNet, of the autoencoder, pictures seen."""
    with safe_open(FILE, framework="pt") as file:
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        seen = int(file.metadata()["images"])
    coder = {name: weights.pop(name) for name in [*weights] if name.startswith("vae.")}
    table = weights.pop("words.rest").repeat(49408, 1)
    table[weights.pop("words.rows").long()] = weights.pop("words.vectors")
    weights[WORDS] = table
    return weights, {k.removeprefix("vae."): v for k, v in coder.items()}, seen


def used_words() -> torch.Tensor:
    """Ids of every token that stands in a caption, the start and end tokens among them."""
    captions = latents.Captions()
    data = latents.Latents(workshop.WORKSHOP / "latents")
    data.refresh()
    return torch.unique(captions([*dict.fromkeys(data.captions), ""]))


@torch.no_grad()
def preview_factors(vae) -> list[list[float]]:
    """Least-squares map from scaled latents, and 1, to RGB in [-1, 1], for previews: [5, 3]."""
    data = pictures.autoencoder_set(workshop.WORKSHOP, autoencoder.SCENES)
    x = pictures.to_tensor(np.array(data[:120:3]))
    z = autoencoder.scaled_latent(vae, x)
    cells = z.permute(0, 2, 3, 1).reshape(-1, 4)
    small = torch.nn.functional.avg_pool2d(x, 8).permute(0, 2, 3, 1).reshape(-1, 3)
    ones = torch.ones(len(cells), 1)
    return torch.linalg.lstsq(torch.cat([cells, ones], 1), small).solution.tolist()
