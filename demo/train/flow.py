"""Another painter on the same latents: a transformer of ComfyUI's (Lumina's NextDiT), as a flow.

The text encoder is that of the first painter as it was when this training began, and stays as it
is. The transformer sees the first WORDS tokens of a caption. A flow mixes (1 - t) latent + t noise
and predicts noise - latent (Lipman et al. 2022, arXiv 2210.02747), which is ComfyUI's `CONST`. At
full size it learns from the first painter's predictions (`teacher`).
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import comfy.model_management
import comfy.ops
import torch
import torch.nn.functional as F
from comfy.ldm.lumina.model import NextDiT

from ..architecture import TRANSFORMER, WORDS
from . import diffusion, workshop
from .initial import initialise
from .inside import CLASSES, TEXT_LENGTH, Inside
from .painter import Averaged, Training, build_text_encoder, trained
from .teacher import Teacher

TAPPED_LAYER = 3
FULL = 32  # size of the latents of whole pictures


class FlowInside(Inside):
    """Watches a NextDiT: the picture's cells after one layer, and its joint attention."""

    def __init__(self, network: NextDiT):
        self.head = torch.nn.Conv2d(TRANSFORMER["dim"], sum(CLASSES.values()), 1)
        self.features = torch.empty(0)
        self.maps = []
        network.layers[TAPPED_LAYER].register_forward_hook(self._tap)

    def _tap(self, _module: Any, _inputs: Any, output: torch.Tensor) -> None:
        cells = output[:, WORDS:].transpose(1, 2)
        self.features = cells.unflatten(-1, (round(cells.shape[-1] ** 0.5), -1))

    def _attend(self, function, q, k, v, heads, *args, **options) -> torch.Tensor:
        """Joint attention that keeps what each cell gives to each word."""
        if q.shape[2] <= WORDS or not options.get("transformer_options", {}).get("total_blocks"):
            return function(q, k, v, heads, *args, **options)
        shares = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1)
        words = shares[:, :, WORDS:, :WORDS].mean(1)
        self.maps.append(F.pad(words, (0, TEXT_LENGTH - WORDS)))
        return (shares @ v).transpose(1, 2).flatten(2)


@dataclass
class FlowPainter(Averaged):
    """The transformer that is trained, with its moving average and the frozen text encoder.

    It sees fewer pictures than the first painter, so its steps are smaller and more; a teacher's
    targets scatter less, so that steps from them can be smaller still.
    """

    batch: ClassVar[dict[int, int]] = {16: 16, 32: 8}
    on_gpu: ClassVar[int] = 8
    last: ClassVar[float] = 1
    text_encoder: Any
    network: NextDiT

    @staticmethod
    def fresh() -> FlowPainter:
        comfy.model_management.in_training = True  # else norms and rotations have no gradient
        text_encoder = build_text_encoder(WORDS).requires_grad_(False)
        kept = workshop.load("flow_text") or _text_of_the_first_painter()
        text_encoder.transformer.load_state_dict(kept)
        options = {
            **TRANSFORMER,
            "dtype": torch.float32,
            "operations": comfy.ops.disable_weight_init,
        }
        network = NextDiT(**options)
        initialise(network, zero=("final_layer.linear", "adaLN_modulation.1"))
        device = workshop.device()
        painter = FlowPainter(text_encoder.to(device), network.to(device))
        painter.average = copy.deepcopy(painter.state())
        return painter

    @staticmethod
    def learning(size: int) -> FlowPainter:
        """With the teacher, where it knows latents of this size."""
        painter = FlowPainter.fresh()
        painter.teacher = Teacher.trained() if size == FULL else None
        return painter

    def named_parameters(self) -> dict[str, torch.nn.Parameter]:
        return dict(self.network.named_parameters())

    def state(self) -> dict[str, torch.Tensor]:
        return self.network.state_dict()

    def load(self, state: dict[str, torch.Tensor]) -> None:
        self.network.load_state_dict(state)

    def inside(self) -> FlowInside:
        return FlowInside(self.network)

    @torch.no_grad()
    def context(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids [B, 77] -> text features [B, WORDS, TEXT_WIDTH]."""
        return self.text_encoder.transformer(tokens[:, :WORDS])[0]

    def velocity_loss(self, x, context, t, noise, targets=None, **options) -> torch.Tensor:
        """Mean squared error of the predicted noise - latent, [B]; t in [0, 1], 1 is noise.

        targets: what to learn from (mixed, t, noise - latent) instead of noise - latent.
        """
        level = t[:, None, None, None]
        mixed, velocity = (1 - level) * x + level * noise, noise - x
        predicted = self.network(mixed, t, context, WORDS, **options)
        if targets is not None:
            velocity = targets(mixed, t, velocity)
        return ((predicted.float() - velocity) ** 2).mean((1, 2, 3))


def _text_of_the_first_painter() -> dict[str, torch.Tensor]:
    weights, _ = trained()
    text = {k.removeprefix("text."): v for k, v in weights.items() if k.startswith("text.")}
    places = "text_model.embeddings.position_embedding.weight"
    text[places] = text[places][:WORDS].clone()
    workshop.save("flow_text", text)
    return text


def train(images: int, size: int) -> None:
    """Train at latent `size` until `images` pictures have been seen in all."""
    training = Training("flow", painter=FlowPainter.learning(size))
    diffusion.run(training, images, size, diffusion.warmed_up)


def cool_down(images: int, size: int, seconds: float = math.inf, peak: float = 1.0) -> None:
    """Take a copy of what `train` kept through `images` more pictures, to rate zero."""
    training = Training("flow_cooled", start="flow", painter=FlowPainter.learning(size))
    diffusion.cool(training, "flow", images, size, seconds, peak)
