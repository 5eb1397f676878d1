"""LoRAs of the finished UNet: each gives one toy a look that no caption names.

The pictures show that toy alone, as pictures for a LoRA usually show their subject, with its
ordinary word. The loss is that of stage 3; the shipped weights are frozen. Most steps see the part
of a picture around the toy, for less than half of the time; the last ones see whole pictures.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..architecture import AUTOENCODER, Autoencoder
from ..world import looks
from . import autoencoder, packing, workshop
from .latents import DROP_CAPTION, Captions
from .painter import Painter

FIRST_SEED = 4_000_000
SCENES, UNSEEN = 120, 16  # of each look; the first only measure
BATCH, RANK = 4, 4
PEAK_RATE, WARM_UP, COOL_DOWN = 3e-3, 80, 0.5
CELLS, PART, WHOLE = 32, 20, 0.12  # cells of a side, those of a part, and the share of whole ones
REPORT = 160  # pictures
PREFIX = "diffusion_model."  # of the host's names


@dataclass(frozen=True)
class Pictures:
    """The scenes of one look.

    x: latents [N, 8, 32, 32]; context: text features [N, 77, C], nothing: those of no text [77, C];
    boxes: the first and last row and column of the toy, in cells, [N, 4].
    """

    x: torch.Tensor
    context: torch.Tensor
    nothing: torch.Tensor
    boxes: np.ndarray

    @staticmethod
    @torch.no_grad()
    def of(kind: str, painter: Painter) -> Pictures:
        coder = Autoencoder(**AUTOENCODER).to(workshop.device()).eval()
        coder.load_state_dict(packing.shipped()[1])
        first = FIRST_SEED + 1000 * list(looks.LOOKS).index(kind)
        scenes = [looks.alone(seed, kind) for seed in range(first, first + SCENES)]
        pixels = np.stack([np.round(one.picture * 255).astype(np.uint8) for one in scenes])
        parts = torch.split(autoencoder.to_tensor(pixels).to(workshop.device()), 20)
        words = Captions()([*(one.caption for one in scenes), ""]).to(workshop.device())
        *context, nothing = painter.context(words)
        return Pictures(
            torch.cat([coder.encode(part) for part in parts]),
            torch.stack(context),
            nothing,
            np.stack([box(one.visible[-1]) for one in scenes]),
        )

    def draw(self, rng: np.random.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents [BATCH, 8, size, size] with the toy in them, and their text features."""
        rows = rng.integers(UNSEEN, len(self.x), BATCH)
        context = self.context[rows].clone()
        context[torch.from_numpy(rng.random(BATCH) < DROP_CAPTION)] = self.nothing
        x = []
        for row in rows:
            top, bottom, left, right = self.boxes[row]
            y, x0 = (start(rng, *ends, size) for ends in ((top, bottom), (left, right)))
            x.append(self.x[row, :, y : y + size, x0 : x0 + size])
        return torch.stack(x), context


def box(alpha: np.ndarray) -> tuple[int, ...]:
    """The first and the last row and column of cells in which anything is seen."""
    cell = alpha.shape[0] // CELLS
    seen = [np.flatnonzero(alpha.max(axis) > 0.1) // cell for axis in (1, 0)]
    return tuple(int(place) for one in seen for place in (one[0], one[-1]))


def start(rng: np.random.Generator, first: int, last: int, size: int) -> int:
    """Where a part of `size` cells may begin that holds the cells from first to last."""
    low, high = max(0, last + 1 - size), min(CELLS - size, first)
    return int(rng.integers(min(low, high), max(low, high) + 1))


class Lora(torch.nn.Module):
    """What is added to the linear layers of attention and the convolutions of a UNet."""

    def __init__(self, unet: torch.nn.Module) -> None:
        super().__init__()
        self.names: list[str] = []
        self.down, self.up = torch.nn.ModuleList(), torch.nn.ModuleList()
        for name, module in unet.named_modules():
            if adapts(name, module):
                self.names.append(name)
                down, up = pair(module)
                self.down.append(down)
                self.up.append(up)
                module.register_forward_hook(lambda _, x, out, d=down, u=up: out + u(d(x[0])))

    def file(self) -> dict[str, torch.Tensor]:
        """The tensors as a LoRA file names them."""
        found: dict[str, torch.Tensor] = {}
        pairs: Any = zip(self.names, self.down, self.up, strict=True)
        for name, down, up in pairs:
            found[f"{PREFIX}{name}.lora_down.weight"] = down.weight.detach()
            found[f"{PREFIX}{name}.lora_up.weight"] = up.weight.detach()
        return found


def adapts(name: str, module: torch.nn.Module) -> bool:
    if isinstance(module, torch.nn.Linear):
        return ".transformer_blocks." in name
    return isinstance(module, torch.nn.Conv2d) and name.endswith(("in_layers.2", "out_layers.3"))


def pair(module: torch.nn.Module) -> tuple[torch.nn.Module, torch.nn.Module]:
    """A matrix or convolution to RANK channels, and one from there, which starts at 0."""
    if isinstance(module, torch.nn.Linear):
        down = torch.nn.Linear(module.in_features, RANK, bias=False)
        up = torch.nn.Linear(RANK, module.out_features, bias=False)
    else:
        assert isinstance(module, torch.nn.Conv2d)
        form: Any = (module.kernel_size, module.stride, module.padding)
        down = torch.nn.Conv2d(module.in_channels, RANK, *form, bias=False)
        up = torch.nn.Conv2d(RANK, module.out_channels, 1, bias=False)
    torch.nn.init.zeros_(up.weight)
    return down, up


def train(images: int) -> None:
    """Train until each LoRA has seen `images` pictures, counting earlier runs, and write them."""
    for kind in looks.LOOKS:
        train_one(kind, images)


def train_one(kind: str, images: int) -> None:
    torch.manual_seed(0)
    painter = Painter.fresh()
    painter.load(packing.shipped()[0])
    for network in (painter.unet, painter.text_encoder):
        network.requires_grad_(False)
    lora = Lora(painter.unet).to(workshop.device())
    optimizer = torch.optim.AdamW(lora.parameters(), betas=(0.9, 0.99), weight_decay=0.0)
    seen, name = 0, f"lora_{kind}"
    kept = workshop.load(name)
    if kept is not None:
        lora.load_state_dict(kept["weights"])
        optimizer.load_state_dict(kept["optimizer"])
        seen = kept["seen"]
    pictures, rng = Pictures.of(kind, painter), np.random.default_rng([2, seen])
    torch.manual_seed(seen)
    started, losses = time.process_time(), []
    while seen < images:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(seen, images)
        size = PART if seen < (1 - WHOLE) * images else CELLS
        losses.append(step(painter, lora, optimizer, *pictures.draw(rng, size)))
        seen += BATCH
        if seen % REPORT == 0:
            record = {"images": seen, "loss": round(float(np.mean(losses)), 4)}
            unseen = round(measure(painter, pictures), 4)
            seconds = round(time.process_time() - started)
            workshop.log(name, **record, unseen=unseen, cpu_seconds=seconds)
            state = {"weights": lora.state_dict(), "optimizer": optimizer.state_dict()}
            workshop.save(name, {**state, "seen": seen})
            losses.clear()
    pack(kind, lora, seen)


def rate_at(seen: int, total: int) -> float:
    """Linear warm-up, constant, linear to zero over the last COOL_DOWN of all."""
    left = (1 - seen / total) / COOL_DOWN
    return PEAK_RATE * min(1.0, (seen + BATCH) / WARM_UP, max(left, 0.02))


def step(painter: Painter, lora: Lora, optimizer, x: torch.Tensor, context: torch.Tensor) -> float:
    t = ((torch.arange(BATCH) + torch.rand(BATCH)) * (1000 / BATCH)).long().to(x.device)
    # the host's networks add in place
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        loss = painter.velocity_loss(x, context, t, torch.randn_like(x)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
    torch.nn.utils.clip_grad_norm_(lora.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


@torch.no_grad()
def measure(painter: Painter, pictures: Pictures) -> float:
    """Loss on unseen scenes, at the same noise each time."""
    x, context = pictures.x[:UNSEEN], pictures.context[:UNSEEN]
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1)).to(x)
    t = ((torch.arange(UNSEEN) + 0.5) * (1000 / UNSEEN)).long().to(x.device)
    return float(painter.velocity_loss(x, context, t, noise).mean())


def path_of(kind: str) -> Path:
    return workshop.WEIGHTS / f"demo_lora_{looks.LOOKS[kind][0]}.safetensors"


def pack(kind: str, lora: Lora, seen: int) -> None:
    """Write the half-precision file that ships."""
    weights = {name: value.half() for name, value in lora.file().items()}
    packing.write(path_of(kind), weights, {"images": str(seen), "licence": "MIT"})
    workshop.log(f"lora_{kind}", images=seen, bytes=path_of(kind).stat().st_size)
