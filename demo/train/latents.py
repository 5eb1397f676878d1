"""Stage 2: latents, token ids and labels of every scene, the training data of stage 3.

All of it is kept on the training device, so that drawing a batch is a few indexings.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from comfy.sd1_clip import SDTokenizer

from collage_core.storage.atomic_write import writing

from ..architecture import TEXT_WIDTH
from . import autoencoder, scenes, workshop

FOLDER = workshop.WORKSHOP / "latents"
DROP_CAPTION = 0.1
UNSEEN = 250  # scenes: the first shard only measures
PHRASES = 12  # the most that a caption names
END = 49407  # the token that ends a text
LABELS = ("kinds", "colors", "patterns")
KEPT = ("x", *LABELS, "tokens", "tokens_of", "seen")


class Captions:
    """Token ids of captions, through the host's tokenizer, and where phrases stand in them."""

    def __init__(self) -> None:
        self.tokenizer = SDTokenizer(embedding_size=TEXT_WIDTH)
        self.known: dict[str, torch.Tensor] = {}
        self.found: dict[tuple[str, str], list[int]] = {}

    def __call__(self, captions: list[str]) -> torch.Tensor:
        """[B, 77] token ids."""
        for caption in set(captions) - self.known.keys():
            pairs = self.tokenizer.tokenize_with_weights(caption)[0]
            self.known[caption] = torch.tensor([token for token, _ in pairs])
        return torch.stack([self.known[caption] for caption in captions])

    def places(self, caption: str, phrase: str) -> list[int]:
        """Positions of the tokens of every occurrence of the phrase in the caption."""
        key = (caption, phrase)
        if key not in self.found:
            text = self([caption])[0].tolist()
            words = self([phrase])[0].tolist()
            words = words[1 : words.index(END)]
            starts = [i for i in range(len(text)) if text[i : i + len(words)] == words]
            self.found[key] = [start + offset for start in starts for offset in range(len(words))]
        return self.found[key]


@torch.no_grad()
def encode_shards() -> None:
    """Prepare every shard of scenes that has no latents yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    model, words = autoencoder.load_model(), Captions()
    for path in scenes.paths():
        if not path_of(path).exists():
            with np.load(path) as shard, writing(path_of(path), replace=True) as file:
                np.savez(file, x=both_sides(model, shard["pictures"]), **texts(words, shard))
            print(f"{path.name}: encoded", flush=True)


def both_sides(model: Any, pictures: np.ndarray) -> np.ndarray:
    """uint8 [N, 256, 256, 3] -> float16 [N, 2, LATENT_CHANNELS, 32, 32]: as they are, mirrored."""
    return np.stack([encode(model, side) for side in (pictures, pictures[:, :, ::-1].copy())], 1)


def encode(model: Any, pictures: np.ndarray) -> np.ndarray:
    """uint8 [N, 256, 256, 3] -> float16 [N, LATENT_CHANNELS, 32, 32]."""
    batches = torch.split(autoencoder.to_tensor(pictures), 25)
    means = [model.encode(batch.to(workshop.device())) for batch in batches]
    return torch.cat(means).cpu().half().numpy()


def texts(words: Captions, shard: Any) -> dict[str, Any]:
    """What `Scenes` needs of a shard beside the latents; two things of the same words are one."""
    told, masks = json.loads(str(shard["words"])), iter(shard["masks"])
    captions = [scene["caption"] for scene in told]
    seen = np.zeros((len(told), PHRASES, scenes.MASK_CELLS, scenes.MASK_CELLS), np.uint8)
    tokens_of = np.zeros((len(told), PHRASES, 77), bool)
    for row, scene in enumerate(told):
        own = list(itertools.islice(masks, len(scene["phrases"])))
        for number, phrase in enumerate(dict.fromkeys(scene["phrases"])):
            of_phrase = [
                mask for mask, name in zip(own, scene["phrases"], strict=True) if name == phrase
            ]
            seen[row, number] = np.maximum.reduce(of_phrase)
            tokens_of[row, number, words.places(scene["caption"], phrase)] = True
    labels = {name: shard[name] for name in LABELS}
    ids = words(captions).numpy()
    return {
        **labels,
        "tokens": ids,
        "tokens_of": tokens_of,
        "seen": seen,
        "captions": np.array(captions),
    }


def path_of(shard: Path) -> Path:
    return FOLDER / f"{shard.stem}.npz"


@dataclass(frozen=True)
class Batch:
    """Everything of B scenes, on the training device.

    x: latents [B, LATENT_CHANNELS, h, w]; tokens: [B, 77]; labels: name -> class index of every
    cell, [B, 32, 32]; tokens_of: [B, PHRASES, 77], 1 where a token belongs to phrase p; seen: [B,
    PHRASES, 16, 16], the share of each cell in which the phrase's things are seen. Scenes of fewer
    phrases, and dropped captions, end in phrases without tokens.
    """

    x: torch.Tensor
    tokens: torch.Tensor
    labels: dict[str, torch.Tensor]
    tokens_of: torch.Tensor
    seen: torch.Tensor


class Scenes:
    """Every encoded scene; new shards are taken in by `refresh` while training runs."""

    def __init__(self) -> None:
        self.nothing = Captions()([""]).to(workshop.device())
        self.captions: list[str] = []
        self.shards = 0
        self.kept: dict[str, torch.Tensor] = {}

    def refresh(self) -> None:
        fresh: dict[str, list[torch.Tensor]] = {name: [part] for name, part in self.kept.items()}
        for path in scenes.paths()[self.shards :]:
            if not path_of(path).exists():
                break
            with np.load(path_of(path)) as shard:
                self.captions += map(str, shard["captions"])
                for name in KEPT:
                    part = torch.from_numpy(shard[name]).to(workshop.device())
                    fresh.setdefault(name, []).append(part)
            self.shards += 1
        self.kept = {name: torch.cat(parts) for name, parts in fresh.items()}

    def draw(self, rng: np.random.Generator, size: int, count: int) -> Batch:
        """`count` scenes that are not for measuring, at latent `size`, some without caption."""
        rows = torch.from_numpy(rng.integers(UNSEEN, len(self.captions), count))
        dropped, mirrored = torch.from_numpy(rng.random((2, count)) < [[DROP_CAPTION], [0.5]])
        return self.batch(rows, size, dropped, mirrored)

    def unseen(self, size: int, count: int = UNSEEN) -> Batch:
        nothing = torch.zeros(count, dtype=torch.bool)
        return self.batch(torch.arange(count), size, nothing, nothing)

    def batch(
        self, rows: torch.Tensor, size: int, dropped: torch.Tensor, mirrored: torch.Tensor
    ) -> Batch:
        rows, dropped, mirrored = (one.to(workshop.device()) for one in (rows, dropped, mirrored))
        latents = self.kept["x"][rows, mirrored.long()].float()

        def turned(name: str) -> torch.Tensor:
            found = self.kept[name][rows]
            where = mirrored.view(-1, *[1] * (found.ndim - 1))
            return torch.where(where, found.flip(-1), found)

        return Batch(
            F.avg_pool2d(latents, latents.shape[-1] // size),
            torch.where(dropped[:, None], self.nothing, self.kept["tokens"][rows]),
            {name: turned(name).long() for name in LABELS},
            (self.kept["tokens_of"][rows] & ~dropped[:, None, None]).float(),
            turned("seen").float() / 255,
        )
