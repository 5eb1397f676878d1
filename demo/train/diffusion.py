"""Stage 3: the text encoder and the UNet together, on cached latents.

Velocity prediction (Salimans and Ho 2022) on SD1.5's noise schedule: it weights the noisiest
steps enough for colours and composition to follow the text after few pictures. The first part
sees latents at half size, four pictures in the time of one: what words mean is learned there,
and detail at full size. One caption in ten is dropped for guidance; what ships is a moving
average of the weights.
"""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import comfy.ops
import numpy as np
import torch
import torch.nn.functional as F
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.sd1_clip import SDClipModel, SDTokenizer

from ..architecture import TEXT_ENCODER, TEXT_WIDTH, UNET
from . import workshop
from .initial import initialise

BATCH = {16: 64, 32: 32}  # by size of the latents
DROP_CAPTION = 0.1
WARM_UP = 6400
COOL_DOWN = 0.3
REPORT = 3200  # pictures


def build_text_encoder() -> SDClipModel:
    return SDClipModel(
        device="cpu",
        dtype=torch.float32,
        freeze=False,
        return_projected_pooled=False,
        textmodel_json_config=dict(TEXT_ENCODER),
    )


def build_unet() -> UNetModel:
    options = {**UNET, "dtype": torch.float32, "operations": comfy.ops.disable_weight_init}
    for name in ("transformer_depth", "transformer_depth_output"):
        options[name] = list(UNET[name])
    return UNetModel(**options)


@dataclass
class Painter:
    """The two networks that are trained together, with their moving average."""

    text_encoder: SDClipModel
    unet: UNetModel
    average: dict[str, torch.Tensor] = field(default_factory=dict)
    seen: int = 0

    @staticmethod
    def fresh() -> Painter:
        text_encoder, unet = build_text_encoder(), build_unet()
        initialise(text_encoder)
        initialise(unet, zero=("out_layers.3", "proj_out", "out.2"))
        painter = Painter(text_encoder.to(workshop.device()), unet.to(workshop.device()))
        painter.average = copy.deepcopy(painter.state())
        return painter

    def parameters(self) -> list[torch.nn.Parameter]:
        return [*self.unet.parameters(), *self.text_encoder.transformer.parameters()]

    def state(self) -> dict[str, torch.Tensor]:
        text = self.text_encoder.transformer.state_dict()
        weights = {f"text.{name}": value for name, value in text.items()}
        return weights | {f"unet.{name}": value for name, value in self.unet.state_dict().items()}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        parts = {"text.": self.text_encoder.transformer, "unet.": self.unet}
        for prefix, module in parts.items():
            cut = len(prefix)
            module.load_state_dict({k[cut:]: v for k, v in state.items() if k.startswith(prefix)})

    @torch.no_grad()
    def follow(self, batch: int) -> None:
        """Let the average follow; its memory grows to about 8,000 pictures."""
        rate = max(batch / 8_000, 1 / (1 + self.seen / batch))
        for name, value in self.state().items():
            self.average[name].lerp_(value, rate)

    def context(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids [B, 77] -> text features [B, 77, TEXT_WIDTH]."""
        return self.text_encoder.transformer(tokens)[0]


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

    def batch(self, rng: np.random.Generator, size: int) -> tuple[torch.Tensor, list[str]]:
        """BATCH[size] latents [B, 4, size, size] and their captions, some dropped."""
        rows = rng.integers(0, len(self.captions), BATCH[size])
        captions = [self.captions[row] if rng.random() > DROP_CAPTION else "" for row in rows]
        latents = self.latents[torch.from_numpy(rows)].float()
        return F.avg_pool2d(latents, latents.shape[-1] // size), captions


def alphas_cumprod() -> torch.Tensor:
    """SD1.5's schedule: betas linear in their square roots, 0.00085 to 0.012, 1000 steps."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float()


def velocity_loss(painter: Painter, x, context, t, noise, alpha) -> torch.Tensor:
    """Mean squared error of the predicted velocity alpha^0.5 noise - (1 - alpha)^0.5 x."""
    a, s = alpha[t].sqrt()[:, None, None, None], (1 - alpha[t]).sqrt()[:, None, None, None]
    predicted = painter.unet(a * x + s * noise, t.float(), context)
    return ((predicted - (a * noise - s * x)) ** 2).mean((1, 2, 3))


def rate_at(seen: int, total: int, peak: float) -> float:
    """Linear warm-up, constant, linear to zero over the last quarter."""
    left = (1 - seen / total) / COOL_DOWN
    return peak * min(1.0, (seen + 64) / WARM_UP, max(left, 0.02))


def train(images: int, size: int, *, peak_rate: float = 8e-4, until: int | None = None) -> None:
    """Train at latent `size` (16 or 32) until `until` of `images` pictures have been seen.

    `images` is what all parts together will see: the learning rate follows it.
    """
    painter, optimizer = resume()
    data, tokens = Latents(workshop.WORKSHOP / "latents"), Captions()
    data.refresh()
    source = Source(data, tokens, size, np.random.default_rng(painter.seen))
    torch.manual_seed(painter.seen)
    started, losses = time.time(), []
    while painter.seen < (until or images):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(painter.seen, images, peak_rate)
        losses.append(step(painter, optimizer, *source.draw()))
        if painter.seen % REPORT == 0:
            report(painter, losses, size, len(data.captions), time.time() - started)
            losses.clear()
            keep(painter, optimizer)
            data.refresh()
    keep(painter, optimizer)


@dataclass
class Source:
    """Batches on the training device."""

    data: Latents
    tokens: Captions
    size: int
    rng: np.random.Generator

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents [B, 4, size, size] and token ids [B, 77]."""
        x, captions = self.data.batch(self.rng, self.size)
        return x.to(workshop.device()), self.tokens(captions).to(workshop.device())


def step(painter: Painter, optimizer: torch.optim.Optimizer, x, tokens) -> float:
    """One update on latents [B, 4, h, w] and token ids [B, 77]; returns the loss."""
    batch = len(x)
    # stratified timesteps: every batch sees the whole schedule
    t = ((torch.arange(batch) + torch.rand(batch)) * (1000 / batch)).long().to(x.device)
    alpha = alphas_cumprod().to(x.device)
    # the host's text encoder adds in place
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        context = painter.context(tokens)
        loss = velocity_loss(painter, x, context, t, torch.randn_like(x), alpha).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
    torch.nn.utils.clip_grad_norm_(painter.parameters(), 1.0)
    optimizer.step()
    painter.seen += batch
    painter.follow(batch)
    return float(loss.detach())


def report(painter, losses: list[float], size: int, scenes: int, seconds: float) -> None:
    counts = {"images": painter.seen, "size": size, "scenes": scenes, "seconds": round(seconds)}
    workshop.log("diffusion", loss=round(float(np.mean(losses)), 4), **counts)


def resume() -> tuple[Painter, torch.optim.Optimizer]:
    painter = Painter.fresh()
    optimizer = torch.optim.AdamW(painter.parameters(), betas=(0.9, 0.99), weight_decay=0.01)
    kept = workshop.load("diffusion")
    if kept is not None:
        painter.load(kept["weights"])
        painter.average, painter.seen = kept["average"], kept["seen"]
        optimizer.load_state_dict(kept["optimizer"])
    return painter, optimizer


def keep(painter: Painter, optimizer: torch.optim.Optimizer) -> None:
    workshop.save(
        "diffusion",
        {
            "weights": painter.state(),
            "average": painter.average,
            "optimizer": optimizer.state_dict(),
            "seen": painter.seen,
        },
    )
