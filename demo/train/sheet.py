"""A sheet of pictures of unseen captions, to judge a training in progress: `--stage sheet`."""

from __future__ import annotations

import torch

from ..sheets import save_sheet
from . import autoencoder, workshop
from .latents import Scenes
from .painter import Painter, alphas_cumprod, trained

COUNT, COLUMNS, STEPS, GUIDANCE, SEED = 16, 8, 25, 3.0, 7


@torch.no_grad()
def paint(size: int) -> None:
    """Write `sheet_SIZE.png` beside the states: COUNT pictures painted at latent `size`."""
    painter, data = Painter.fresh(), Scenes()
    average, seen = trained()
    painter.load(average)
    data.refresh()
    words, without = data.kept["tokens"][:COUNT], data.nothing.expand(COUNT, -1)
    both = painter.context(torch.cat([words, without]))
    pictures = autoencoder.load_model().decode(sample(painter, both, size))
    path = workshop.WORKSHOP / f"sheet_{size}.png"
    save_sheet((pictures.permute(0, 2, 3, 1) + 1) / 2, path, COLUMNS)
    print(f"{seen} pictures seen: {path}", *data.captions[:COUNT], sep="\n")


def sample(painter: Painter, both: torch.Tensor, size: int) -> torch.Tensor:
    """DDIM (Song et al. 2021) on velocities, from noise; `both`: contexts with words, without."""
    generator = torch.Generator().manual_seed(SEED)
    channels = painter.unet.in_channels
    x = torch.randn(COUNT, channels, size, size, generator=generator).to(both.device)
    alphas = alphas_cumprod(x.device)
    times = torch.linspace(999, 0, STEPS + 1).long().to(x.device)
    for index in range(STEPS):
        t = times[index]
        alpha = alphas[t]
        after = alphas[times[index + 1]] if index < STEPS - 1 else torch.ones_like(alpha)
        levels = t.expand(2 * COUNT).float()
        with_words, without = painter.unet(torch.cat([x, x]), levels, both).chunk(2)
        v = without + GUIDANCE * (with_words - without)
        clean = alpha.sqrt() * x - (1 - alpha).sqrt() * v
        noise = (1 - alpha).sqrt() * x + alpha.sqrt() * v
        x = after.sqrt() * clean + (1 - after).sqrt() * noise
    return x
