"""The two networks that stage 3 trains together: the text encoder and the UNet."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import comfy.ops
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.sd1_clip import SDClipModel
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ..architecture import TEXT_ENCODER, UNET
from . import workshop
from .initial import initialise
from .inside import Inside
from .muon import Muon

MUON_RATE, ADAM_RATE = 0.02, 6e-4
MEMORY = 30_000  # pictures that the moving average remembers


@functools.cache
def alphas_cumprod(device: torch.device) -> torch.Tensor:
    """SD1.5's schedule: betas linear in their square roots, 0.00085 to 0.012, 1000 steps."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float().to(device)


def build_text_encoder(tokens: int = 77) -> SDClipModel:
    encoder = SDClipModel(
        device="cpu",
        max_length=tokens,
        dtype=torch.float32,
        freeze=False,
        return_projected_pooled=False,
        textmodel_json_config={**TEXT_ENCODER, "max_position_embeddings": tokens},
    )
    for module in encoder.modules():
        if isinstance(module, torch.nn.LayerNorm):
            # the host adds in place to what a norm needs again for its gradient
            module.register_forward_pre_hook(lambda _, inputs: (inputs[0].clone(), *inputs[1:]))
    return encoder


def build_unet() -> UNetModel:
    options = {**UNET, "dtype": torch.float32, "operations": comfy.ops.disable_weight_init}
    for name in ("transformer_depth", "transformer_depth_output"):
        options[name] = list(UNET[name])
    return UNetModel(**options)


@dataclass(kw_only=True)
class Averaged:
    """What is trained with a moving average of its weights, after so many pictures seen."""

    batch: ClassVar[dict[int, int]] = {16: 64, 32: 32}  # pictures a step, by size of the latents
    on_gpu: ClassVar[int] = 16  # times as many, where a smaller step would not fill the device
    last: ClassVar[float]  # t of the most noise
    teacher: Any = None  # gives targets for learning instead of single pictures
    average: dict[str, torch.Tensor] = field(default_factory=dict)
    seen: int = 0
    memory: float = MEMORY  # pictures

    def state(self) -> dict[str, torch.Tensor]:
        raise NotImplementedError

    def pictures_a_step(self, size: int) -> int:
        return self.batch[size] * (self.on_gpu if workshop.device().type == "cuda" else 1)

    @torch.no_grad()
    def follow(self, batch: int) -> None:
        """Update the moving average; its window grows to `memory` pictures."""
        rate = min(1.0, max(batch / self.memory, 1 / (1 + self.seen / batch)))
        names, values = zip(*self.state().items(), strict=True)
        update = get_ema_multi_avg_fn(1 - rate)
        update([self.average[name] for name in names], values, None)


@dataclass
class Painter(Averaged):
    """The two networks that are trained together, with their moving average."""

    last: ClassVar[float] = 1000
    text_encoder: SDClipModel
    unet: UNetModel

    @staticmethod
    def fresh() -> Painter:
        text_encoder, unet = build_text_encoder(), build_unet()
        initialise(text_encoder)
        initialise(unet, zero=("out_layers.3", "proj_out", "out.2"))
        network: Any = unet  # torch's stub of `to` knows no memory format
        network.to(workshop.device(), memory_format=workshop.layout())
        painter = Painter(text_encoder.to(workshop.device()), unet)
        painter.average = copy.deepcopy(painter.state())
        return painter

    def named_parameters(self) -> dict[str, torch.nn.Parameter]:
        text = self.text_encoder.transformer.named_parameters()
        named = {f"text.{name}": parameter for name, parameter in text}
        return named | {f"unet.{name}": value for name, value in self.unet.named_parameters()}

    def state(self) -> dict[str, torch.Tensor]:
        text = self.text_encoder.transformer.state_dict()
        weights = {f"text.{name}": value for name, value in text.items()}
        return weights | {f"unet.{name}": value for name, value in self.unet.state_dict().items()}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        parts = {"text.": self.text_encoder.transformer, "unet.": self.unet}
        for prefix, module in parts.items():
            cut = len(prefix)
            module.load_state_dict({k[cut:]: v for k, v in state.items() if k.startswith(prefix)})

    def inside(self) -> Inside:
        return Inside(self.unet)

    def context(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids [B, 77] -> text features [B, 77, TEXT_WIDTH]."""
        return self.text_encoder.transformer(tokens)[0]

    def velocity_loss(self, x, context, t, noise, control=None, **options) -> torch.Tensor:
        """Mean squared error of the predicted velocity alpha^0.5 noise - (1 - alpha)^0.5 x, [B].

        t: steps of the schedule, [B]. control: what a structure network adds, as the host's UNet
        takes it.
        """
        x = x.contiguous(memory_format=workshop.layout())
        alpha, step = alphas_cumprod(x.device), t.long()
        a, s = (
            alpha[step].sqrt()[:, None, None, None],
            (1 - alpha[step]).sqrt()[:, None, None, None],
        )
        given = {"control": control, **options}
        predicted = self.unet(a * x + s * noise, step.float(), context, **given)
        return ((predicted.float() - (a * noise - s * x)) ** 2).mean((1, 2, 3))


def trained() -> tuple[dict[str, torch.Tensor], int]:
    """The averaged weights that the stage `cool` left, or else `diffusion`, and pictures seen."""
    kept = workshop.load("cooled") or workshop.load("diffusion")
    if kept is None:
        raise SystemExit("train: there is no UNet yet. Run the diffusion stage first.")
    return kept["average"], kept["seen"]


class Training:
    """A painter with its optimisers; it resumes from the state saved under `name`, if there is one.

    Muon turns matrices and convolutions; AdamW embeddings, vectors, and the UNet's first and last
    layer, whose sizes carry meaning.
    """

    def __init__(self, name: str, start: str | None = None, painter: Any = None):
        self.name = name
        self.painter = painter or Painter.fresh()
        self.inside = self.painter.inside()
        self.inside.head.to(workshop.device())
        turned, others = [], [*self.inside.head.parameters()]
        for key, parameter in self.painter.named_parameters().items():
            (turned if is_matrix(key, parameter) else others).append(parameter)
        self.parameters = [*turned, *others]
        self.optimizers: dict[float, torch.optim.Optimizer] = {
            MUON_RATE: Muon(turned, MUON_RATE),
            ADAM_RATE: torch.optim.AdamW(others, ADAM_RATE, betas=(0.9, 0.99), fused=True),
        }
        kept = workshop.load(name)
        if kept is None and start is not None:
            kept = workshop.load(start)
        if kept is not None:
            self._go_on_from(kept)

    def _go_on_from(self, kept: dict[str, Any]) -> None:
        self.painter.load(kept["weights"])
        for name, value in kept["average"].items():
            self.painter.average[name].copy_(value)
        self.painter.seen = kept["seen"]
        self.inside.head.load_state_dict(kept["head"])
        states = kept.get("optimizers", [])
        for optimizer, state in zip(self.optimizers.values(), states, strict=False):
            optimizer.load_state_dict(state)

    def keep(self) -> None:
        workshop.save(
            self.name,
            {
                "weights": self.painter.state(),
                "average": self.painter.average,
                "head": self.inside.head.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers.values()],
                "seen": self.painter.seen,
            },
        )

    def step(self, loss: torch.Tensor, share: float) -> None:
        """One update at `share` of the peak rates."""
        for rate, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.optimizers.values():
            optimizer.step()


def is_matrix(name: str, parameter: torch.nn.Parameter) -> bool:
    ends = ("unet.input_blocks.0.", "unet.out.2.")
    return parameter.ndim > 1 and "embedding" not in name and not name.startswith(ends)
