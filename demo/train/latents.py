"""Stage 2: cached latents with captions and labels, the training data of stage 3."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

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
END = 49407  # the token that ends a text


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
    """Encode the pictures of every shard that has no latents yet, as they are and mirrored."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    model = autoencoder.load_model()
    for path in scenes.paths():
        if not path_of(path).exists():
            pictures = np.load(path)["pictures"]
            sides = [encode(model, side) for side in (pictures, pictures[:, :, ::-1].copy())]
            with writing(path_of(path), replace=True) as file:
                np.save(file, np.stack(sides, 1))
            print(f"{path.name}: encoded", flush=True)


def encode(model, pictures: np.ndarray) -> np.ndarray:
    """uint8 [N, 256, 256, 3] -> float16 [N, LATENT_CHANNELS, 32, 32]."""
    batches = torch.split(autoencoder.to_tensor(pictures), 25)
    means = [model.encode(batch.to(workshop.device())) for batch in batches]
    return torch.cat(means).cpu().half().numpy()


def _pick(shards: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """The given rows of all shards together."""
    return np.stack([shards[row // scenes.SHARD][row % scenes.SHARD] for row in rows])


def path_of(shard: Path) -> Path:
    return FOLDER / f"{shard.stem}.npy"


@dataclass(frozen=True)
class Batch:
    """Everything of B scenes, on the training device.

    x: latents [B, LATENT_CHANNELS, h, w]; tokens: [B, 77]; labels: name -> class index of every
    cell, [B, 32, 32]; tokens_of: [B, P, 77], 1 where a token belongs to phrase p; seen: [B, P, 16,
    16], the share of each cell in which the phrase's things are seen. P is the longest list of
    phrases; shorter ones, and those of dropped captions, end in phrases without tokens.
    """

    x: torch.Tensor
    tokens: torch.Tensor
    labels: dict[str, torch.Tensor]
    tokens_of: torch.Tensor
    seen: torch.Tensor


@dataclass
class Scenes:
    """Every encoded scene; new shards are taken in by `refresh` while training runs."""

    words: Captions = field(default_factory=Captions)
    latents: list[np.ndarray] = field(default_factory=list)
    labels: dict[str, list[np.ndarray]] = field(default_factory=dict)
    captions: list[str] = field(default_factory=list)
    phrases: list[dict[str, np.ndarray]] = field(default_factory=list)

    def refresh(self) -> None:
        for path in scenes.paths()[len(self.latents) :]:
            if not path_of(path).exists():
                break
            shard = np.load(path)
            self.latents.append(np.load(path_of(path)))
            for name in ("kinds", "colors", "patterns"):
                self.labels.setdefault(name, []).append(shard[name])
            self._take_words(json.loads(str(shard["words"])), shard["masks"])

    def _take_words(self, words: list[dict], masks: np.ndarray) -> None:
        """Two things of the same words are seen where either is."""
        first = 0
        for scene in words:
            self.captions.append(scene["caption"])
            seen: dict[str, np.ndarray] = {}
            for mask, phrase in zip(masks[first:], scene["phrases"], strict=False):
                seen[phrase] = np.maximum(mask, seen.get(phrase, 0))
            first += len(scene["phrases"])
            self.phrases.append(seen)

    def draw(self, rng: np.random.Generator, size: int, count: int) -> Batch:
        """`count` scenes that are not for measuring, at latent `size`, some without caption."""
        rows = rng.integers(UNSEEN, len(self.captions), count)
        return self.batch(rows, size, rng.random(count) < DROP_CAPTION, rng.random(count) < 0.5)

    def unseen(self, size: int, count: int = UNSEEN) -> Batch:
        nothing = np.zeros(count, bool)
        return self.batch(np.arange(count), size, nothing, nothing)

    def batch(
        self, rows: np.ndarray, size: int, dropped: np.ndarray, mirrored: np.ndarray
    ) -> Batch:
        sides = _pick(self.latents, rows)[np.arange(len(rows)), mirrored.astype(int)]
        flip = [np.s_[..., :: -1 if m else 1] for m in mirrored]
        labels = {
            name: np.stack([label[f] for label, f in zip(_pick(shards, rows), flip, strict=True)])
            for name, shards in self.labels.items()
        }
        captions = ["" if gone else self.captions[r] for r, gone in zip(rows, dropped, strict=True)]
        tokens_of, seen = self._grounding(rows, captions, flip)
        device = workshop.device()
        latents = torch.from_numpy(sides).float().to(device)
        return Batch(
            F.avg_pool2d(latents, latents.shape[-1] // size),
            self.words(captions).to(device),
            {name: torch.from_numpy(label).long().to(device) for name, label in labels.items()},
            tokens_of.to(device),
            seen.to(device),
        )

    def _grounding(self, rows, captions, flip) -> tuple[torch.Tensor, torch.Tensor]:
        most = max(len(self.phrases[row]) for row in rows)
        tokens_of = torch.zeros(len(rows), most, 77)
        seen = torch.zeros(len(rows), most, scenes.MASK_CELLS, scenes.MASK_CELLS)
        for index, (row, caption) in enumerate(zip(rows, captions, strict=True)):
            for number, (phrase, mask) in enumerate(self.phrases[row].items()):
                tokens_of[index, number, self.words.places(caption, phrase)] = 1
                seen[index, number] = torch.from_numpy(mask[flip[index]].copy()).float() / 255
        return tokens_of, seen
