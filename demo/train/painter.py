"""The two networks that stage 3 trains together: the text encoder and the UNet."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import comfy.ops
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.sd1_clip import SDClipModel

from ..architecture import TEXT_ENCODER, UNET
from . import workshop
from .initial import initialise


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


def resume() -> tuple[Painter, torch.optim.Optimizer]:
    painter = Painter.fresh()
    optimizer = torch.optim.AdamW(painter.parameters(), betas=(0.9, 0.99), fused=True)
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
