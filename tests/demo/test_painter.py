"""The settings that every picture of the measurements is painted with."""

from __future__ import annotations

import torch

from demo.evaluate.collages import TUNING_SEED, cases
from demo.evaluate.differential import paint_by_mask
from demo.evaluate.painter import Painter, Sampling
from demo.evaluate.prompts import paint


@torch.inference_mode()
def test_the_named_sampler_paints_collages_and_prompts() -> None:
    case = cases(TUNING_SEED, 1, 0.8)[0]
    found = []
    for name in ("euler", "lcm"):
        sampling = Sampling(steps=2, cfg=1.0, sampler=name)
        painter = Painter(sampling)
        way = painter.plain(case)
        picture, noise = painter.paint_with_map(case, way, seed=1)
        masked = paint_by_mask(painter, torch.zeros(256, 256, 3), way, noise, seed=1)
        found.append((picture, masked, paint([case.collage.prompt], sampling)[0]))
    for one, other in zip(*found, strict=True):
        assert (one - other).abs().mean() > 1e-4
