"""The example's collage and the pack's nodes, to show what each node does."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import torch

from .. import world
from ..evaluate.collages import to_collage
from ..pack import load_pack
from .stories import bento_box
from .variants import DEMO

BASE = {key: bento_box.SAMPLING[key] for key in ("base_noise", "feather")}
SAMPLING = {key: bento_box.SAMPLING[key] for key in ("steps", "sampler_name", "scheduler")}
SAMPLING |= DEMO.sampling


class Studio:
    """The example's collage, the demo model, and the nodes to run on them."""

    def __init__(self) -> None:
        self.nodes = load_pack().nodes
        self.scene = world.scene(bento_box.SEED, "bento")
        plain = to_collage(self.scene, 0.0)
        noise, pairs = bento_box.noise(), zip(plain.layers, self.scene.layers, strict=True)
        layers = (replace(layer, noise=noise[drawn.kind]) for layer, drawn in pairs)
        self.collage = replace(plain, layers=tuple(layers))

    @cached_property
    def models(self) -> tuple[Any, Any, Any]:
        return self.nodes.host.demo_model.loader.load_all()

    def run(self, name: str, *args: Any, **inputs: Any) -> tuple[Any, ...]:
        """All outputs of one of the pack's nodes."""
        return next(n for n in self.nodes.NODES if n.__name__ == name).execute(*args, **inputs).args

    def number(self, kind: str) -> int:
        """The number of a layer, as messages count layers."""
        return [layer.kind for layer in self.scene.layers].index(kind) + 1

    def paint(
        self, collage: Any, seed: int, network: Any = None
    ) -> tuple[Any, torch.Tensor, torch.Tensor]:
        """The patched model, the painted picture [1, H, W, 3] and the noise map [1, H, W]."""
        model, clip, vae = self.models
        patched, positive, *_ = self.run(
            "MaskedCrossAttentionPatch", model, clip, collage, DEMO.schedule, 1.0, 0.0, 1.0
        )
        negative = self.words("")
        if network is not None:
            whole = {"strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}
            positive, negative, _ = self.run(
                "CollageControlNet", positive, negative, network, collage, **whole
            )
        sampled = self.run(
            "PerLayerNoiseKSampler",
            patched,
            collage,
            vae,
            positive=positive,
            negative=negative,
            seed=seed,
            **BASE,
            **SAMPLING,
        )
        return patched, vae.decode(sampled[0]["samples"]), sampled[1]

    @cached_property
    def painted(self) -> tuple[Any, torch.Tensor, torch.Tensor]:
        return self.paint(self.collage, seed=7)

    @cached_property
    def edited(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """The rice drawn anew: its noise map, the sampler's picture, that one pasted back, and
        the mask of what was taken."""
        _, finished, _ = self.painted
        edit, _, noise, *_ = self.run(
            "CollageEdit", self.collage, finished, str(self.number("rice")), 0.9, "", 4.0, False
        )
        _, new, _ = self.paint(edit, seed=11)
        return (noise, new, *self.run("CollagePasteBack", finished, new, 8.0, collage=edit))

    def words(self, text: str) -> list:
        clip = self.models[1]
        return clip.encode_from_tokens_scheduled(clip.tokenize(text))
