"""The trained weights as one half-precision safetensors file, to ship and to resume from.

Captions use few of the text encoder's 49,408 tokens. The file contains the rows of these tokens and
their mean, which the loader gives to every other token.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save

from collage_core.storage.atomic_write import write_whole

from ..architecture import Autoencoder
from . import autoencoder, flow, latents, painter, scenes, workshop

WORDS = "text.text_model.embeddings.token_embedding.weight"
FILE = workshop.WEIGHTS / "demo_model.safetensors"
TRANSFORMER_FILE = workshop.WEIGHTS / "demo_transformer.safetensors"

Weights = dict[str, torch.Tensor]


def pack() -> None:
    weights, seen = painter.trained()
    vae = autoencoder.load_model()
    weights |= {f"vae.{name}": value for name, value in vae.state_dict().items()}
    _pack("pack", FILE, weights, vae, seen)


def pack_flow() -> None:
    """The transformer and its text encoder; the autoencoder stands in the first painter's file."""
    kept, text = workshop.load("flow_cooled") or workshop.load("flow"), workshop.load("flow_text")
    if kept is None or text is None:
        raise SystemExit("train: no transformer to pack yet. Run the flow stage first.")
    weights = {f"flow.{name}": value for name, value in kept["average"].items()}
    weights |= {f"text.{name}": value for name, value in text.items()}
    _pack("pack-flow", TRANSFORMER_FILE, weights, autoencoder.load_model(), kept["seen"])


def _pack(stage: str, path: Path, weights: Weights, vae: Autoencoder, seen: int) -> None:
    rows, table = used_words(), weights.pop(WORDS)
    weights["words.rows"] = rows.int()
    weights["words.vectors"] = table[rows]
    weights["words.rest"] = table[rows].mean(0)
    halves = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
    preview = json.dumps(preview_factors(vae))
    write(path, halves, {"preview": preview, "images": str(seen), "licence": "MIT"})
    workshop.log(stage, images=seen, bytes=path.stat().st_size)


def write(path: Path, weights: Weights, metadata: dict[str, str]) -> None:
    """Replace a weight file of the pack as a whole."""
    data = save({k: v.contiguous() for k, v in weights.items()}, metadata)
    write_whole(path, data, replace=True)


def unpack() -> None:
    """Make the packed weights the training state, so that training resumes from them.

    Optimisers and the head for labels start anew; the former training state is replaced.
    """
    weights, coder, seen = shipped()
    workshop.save("autoencoder", {"weights": coder, "seen": 0, "optimizers": []})
    workshop.remove("diffusion", "cooled")
    training = painter.Training("diffusion")
    training.painter.load(weights)
    training.painter.average, training.painter.seen = weights, seen
    training.keep()
    if TRANSFORMER_FILE.exists():
        unpack_flow()


def unpack_flow() -> None:
    """The same for the packed transformer."""
    weights, seen = _read(TRANSFORMER_FILE)
    parts = {"flow.": {}, "text.": {}}
    for name, value in weights.items():
        parts[name[:5]][name[5:]] = value
    workshop.save("flow_text", parts["text."])
    workshop.remove("flow", "flow_cooled")
    training = painter.Training("flow", painter=flow.FlowPainter.fresh())
    training.painter.load(parts["flow."])
    training.painter.average, training.painter.seen = parts["flow."], seen
    training.keep()


def shipped() -> tuple[Weights, Weights, int]:
    """The packed weights of text encoder and UNet, those of the autoencoder, and pictures seen."""
    weights, seen = _read(FILE)
    coder = {name: weights.pop(name) for name in [*weights] if name.startswith("vae.")}
    return weights, {k.removeprefix("vae."): v for k, v in coder.items()}, seen


def _read(path: Path) -> tuple[Weights, int]:
    """The weights of a packed file with the whole table of words, and pictures seen."""
    with safe_open(path, framework="pt") as file:
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        seen = int(file.metadata()["images"])
    table = weights.pop("words.rest").repeat(49408, 1)
    table[weights.pop("words.rows").long()] = weights.pop("words.vectors")
    weights[WORDS] = table
    return weights, seen


def used_words() -> torch.Tensor:
    """Ids of every token that stands in a caption, the start and end tokens among them."""
    data = latents.Scenes()
    data.refresh()
    return torch.unique(torch.cat([data.kept["tokens"], data.nothing])).cpu()


@torch.no_grad()
def preview_factors(vae: Autoencoder) -> list[list[float]]:
    """Least-squares map from latents, and 1, to RGB in [-1, 1]: [LATENT_CHANNELS + 1, 3]."""
    x = autoencoder.to_tensor(np.load(scenes.path_of(0))["pictures"][:40])
    cells = vae.encode(x.to(workshop.device())).cpu().permute(0, 2, 3, 1).flatten(0, 2)
    small = torch.nn.functional.avg_pool2d(x, 8).permute(0, 2, 3, 1).flatten(0, 2)
    ones = torch.ones(len(cells), 1)
    return torch.linalg.lstsq(torch.cat([cells, ones], 1), small).solution.tolist()
