"""What stage 3 learns from: cached latents and the token ids of their captions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from comfy.sd1_clip import SDTokenizer

from ..architecture import TEXT_WIDTH
from . import workshop

DROP_CAPTION = 0.1


class Captions:
    """Token ids of captions, through the host's tokenizer."""

    def __init__(self) -> None:
        self.tokenizer = SDTokenizer(embedding_size=TEXT_WIDTH)
        self.known: dict[str, torch.Tensor] = {}

    def __call__(self, captions: list[str]) -> torch.Tensor:
        for caption in set(captions) - self.known.keys():
            pairs = self.tokenizer.tokenize_with_weights(caption)[0]
            self.known[caption] = torch.tensor([token for token, _ in pairs])
        return torch.stack([self.known[caption] for caption in captions])


@dataclass
class Latents:
    """Every cached latent and its caption; new shards are picked up while training runs."""

    folder: Path
    latents: torch.Tensor = field(default_factory=lambda: torch.empty(0, 4, 32, 32))
    captions: list[str] = field(default_factory=list)
    shards: int = 0

    def refresh(self) -> None:
        paths = sorted(self.folder.glob("[0-9][0-9][0-9][0-9].npy"))
        fresh = [torch.from_numpy(np.load(path)).half() for path in paths[self.shards :]]
        if fresh:
            self.latents = torch.cat([self.latents.half(), *fresh])
            for path in paths[self.shards :]:
                self.captions += json.loads(path.with_suffix(".json").read_text())
            self.shards = len(paths)

    def batch(
        self, rng: np.random.Generator, size: int, count: int
    ) -> tuple[torch.Tensor, list[str]]:
        """`count` latents [B, 4, size, size] and their captions, some dropped."""
        rows = rng.integers(0, len(self.captions), count)
        captions = [self.captions[row] if rng.random() > DROP_CAPTION else "" for row in rows]
        latents = self.latents[torch.from_numpy(rows)].float()
        return F.avg_pool2d(latents, latents.shape[-1] // size), captions


@dataclass
class Source:
    """Batches on the training device."""

    data: Latents
    tokens: Captions
    size: int
    count: int
    rng: np.random.Generator

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents [B, 4, size, size] and token ids [B, 77]."""
        x, captions = self.data.batch(self.rng, self.size, self.count)
        return x.to(workshop.device()), self.tokens(captions).to(workshop.device())
