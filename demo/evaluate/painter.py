"""Collages painted by the demo model, and the ways to bind phrases to regions."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

from collage_core.attention.bias import DEFAULT_SCHEDULE

from ..pack import host_nodes, load_pack
from .collages import Case

DEFAULT_SAMPLER = "euler_ancestral"


@dataclass(frozen=True)
class Sampling:
    """How the measured pictures are painted: steps, and the scale of guidance.

    sampler: its name in ComfyUI; the scheduler is `normal` for all.
    schedule: of the words in their places, where a row does not compare several.
    half: compute in bfloat16, twice as fast on processors that can, with slightly other pictures.
    network: the demo model's UNet or its transformer.
    """

    steps: int
    cfg: float
    half: bool = False
    network: str = "unet"
    schedule: str = DEFAULT_SCHEDULE
    sampler: str = DEFAULT_SAMPLER


def sampler_names() -> list[str]:
    """The names of ComfyUI's samplers."""
    return import_module("comfy.samplers").KSampler.SAMPLERS


def load_models(network: str = "unet") -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE of the demo model."""
    return load_pack().nodes.host.demo_model.loader.load_all(network)


class Painter:
    """The demo model, and the ways to bind phrases to regions."""

    def __init__(self, sampling: Sampling) -> None:
        self.pack, self.nodes = load_pack(), host_nodes()
        self.model, self.clip, self.vae = load_models(sampling.network)
        self.sampling = sampling
        if sampling.half:
            network = self.model.model.diffusion_model.to(torch.bfloat16)
            network.dtype = torch.bfloat16
        self.negative = self.encode("")

    def encode(self, text: str) -> list:
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(text))

    def plain(self, case: Case) -> tuple[object, list]:
        """The whole prompt everywhere."""
        return self.model, self.encode(case.collage.prompt)

    def patched(
        self, case: Case, schedule: str | None = None, end: float = 1.0
    ) -> tuple[object, list]:
        """MaskedCrossAttentionPatch with the layers' attract and repel."""
        model, positive, _ = self.patch(case, schedule, end)
        return model, positive

    def patch(
        self, case: Case, schedule: str | None = None, end: float = 1.0
    ) -> tuple[Any, list, list]:
        """The same with the node's negative: model, positive, negative."""
        schedule = schedule or self.sampling.schedule
        node = self.pack.nodes.attention.MaskedCrossAttentionPatch
        given = (self.model, self.clip, case.collage)
        model, positive, _, negative = node.execute(*given, schedule, 1.0, 0.0, end).args
        return model, positive, negative

    def host_masks(self, case: Case) -> tuple[object, list]:
        """ComfyUI's ConditioningSetMask: one prompt a region, and the whole prompt everywhere."""
        set_mask = self.nodes.ConditioningSetMask().append
        positive = self.encode(case.collage.prompt)
        for layer, mask in zip(
            case.collage.shown, case.collage.composite.visible_alpha[0], strict=True
        ):
            positive += set_mask(self.encode(layer.text), mask[None], "default", 1.0)[0]
        return self.model, positive

    def paint(
        self, case: Case, conditioned: tuple[Any, list], seed: int, negative: list | None = None
    ) -> torch.Tensor:
        """The case painted by a way: [256, 256, 3] in [0, 1]; `negative` is that of the way."""
        return self.paint_with_map(case, conditioned, seed, negative)[0]

    def paint_with_map(
        self,
        case: Case,
        conditioned: tuple[Any, list],
        seed: int,
        negative: list | None = None,
        **more: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The same, and the noise map [1, 256, 256]; `more` are further inputs of the sampler."""
        model, positive = conditioned
        sampler = self.pack.nodes.sampling.PerLayerNoiseKSampler
        latent, noise_map = sampler.execute(
            model=model,
            collage=case.collage,
            vae=self.vae,
            positive=positive,
            negative=negative or self.negative,
            seed=seed,
            steps=self.sampling.steps,
            cfg=self.sampling.cfg,
            sampler_name=self.sampling.sampler,
            scheduler="normal",
            base_noise=case.collage.layers[0].noise,
            feather=4.0,
            **more,
        ).args[:2]
        return self.vae.decode(latent["samples"])[0], noise_map
