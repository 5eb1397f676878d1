"""What vectors before a layer's phrase are worth: losses and gradients of private networks.

Nothing shared takes part, and every random number comes from a generator that its seed and step
determine. What it asks of the host is in private_copy, private_denoiser and training_memory.
"""

from __future__ import annotations

import math

import torch

from ....collage_core.inversion.loss import masked_loss
from ....collage_core.inversion.settings import NODE
from ..models.embeddings_in_memory import Vectors, filled
from .batches import FIXED, Batch, TrainingPictures
from .denoiser import PrivateDenoiser
from .memory import Thrift, check_room
from .prompts import TrainingPrompts
from .task import Task, encoded
from .trainable_copy import EncodedText, PrivateText, gradients

HALF_SCALE = 1024.0  # keeps gradients of half precision from vanishing
SHOWN = 9  # the picture of the fixed set that a preview shows: the object large before grey


class LayerLoss:
    """Call with `inference_mode` off. forward, backward: pictures through the diffusion model."""

    def __init__(self, task: Task) -> None:
        family, settings, layer = task.family, task.settings, task.layer
        check_room(task)
        latents = encoded(task.model, task.vae, task.views.pictures)
        self.settings, self.seed = settings, task.seed
        self.prompts = TrainingPrompts(task.clip, layer, task.collage, family.vectors(settings))
        with gradients():
            self.denoiser = PrivateDenoiser(task.model, f"{NODE}, input model")
            self.text = PrivateText(task.clip, f"{NODE}, input clip")
            self.pictures = TrainingPictures(
                latents,
                task.views.cells(family.cell),
                self.denoiser,
                settings,
                layer.noise,
                task.seed,
            )
        self.memory = Thrift(task, self.denoiser)
        self.memory.plan(task)
        self.scale = HALF_SCALE if self.denoiser.half else 1.0
        self.forward, self.backward = 0, 0
        self._seen: torch.Tensor | None = None

    def gradient(self, vectors: Vectors, step: int) -> tuple[float, Vectors]:
        """Loss and gradient of a step's batch; the loss is NaN where the gradient holds such
        values."""
        batch = self.pictures.drawn(step)
        tokens = self.prompts.drawn(self.settings, self.seed, step)
        return self.memory.within(lambda: self._gradient(vectors, batch, tokens))

    def fixed(self, vectors: Vectors | None) -> float:
        """The loss on the fixed set: of these vectors, or of prompts without any."""
        return self.memory.within(lambda: self._fixed(vectors))

    def _fixed(self, vectors: Vectors | None) -> float:
        size = max(1, self.settings.batch // self.memory.parts)
        losses = []
        with gradients(), torch.no_grad():
            for odd in range(2):
                text = self.text.encode(self._fixed_tokens(odd, vectors))
                for numbers in torch.arange(odd, FIXED, 2).split(size):
                    batch = self.pictures.fixed(numbers)
                    denoised = self._denoised(batch, text)
                    losses.append(self._loss(denoised, batch).sum())
                    if vectors is not None and SHOWN in numbers:
                        self._seen = denoised[numbers == SHOWN]
        return sum(loss.item() for loss in losses) / FIXED

    def preview(self) -> torch.Tensor | None:
        """What the model made of the object when vectors were last tried on the fixed set: a
        small IMAGE [1, H, W, 3], given once."""
        seen, self._seen = self._seen, None
        with torch.inference_mode(False), torch.no_grad():
            return None if seen is None else self.denoiser.look(seen)

    def state_dict(self) -> dict:
        """What passes and memory have come to, in plain numbers."""
        counts = {"forward": self.forward, "backward": self.backward}
        return {**counts, "scale": self.scale, "parts": self.memory.parts}

    def load_state_dict(self, state: dict) -> None:
        self.forward, self.backward = int(state["forward"]), int(state["backward"])
        self.scale = float(state["scale"])
        self.memory.parts = max(self.memory.parts, int(state["parts"]))

    def _gradient(self, vectors: Vectors, batch: Batch, tokens: dict) -> tuple[float, Vectors]:
        count = len(batch.sigma)
        size = math.ceil(count / self.memory.parts)
        with gradients():
            leaves = {name: v.detach().clone().requires_grad_() for name, v in vectors.items()}
            text = self.text.encode(filled(tokens, leaves))
            own = _cut_off(text)  # so that the text encoders are passed once for all parts
            losses = []
            for first in range(0, count, size):
                part = batch.part(slice(first, first + size))
                loss = self._loss(self._denoised(part, own), part).sum() / count
                (loss * self.scale).backward()
                losses.append(loss.detach())
            self.backward += count
            _pass_on(text, own)
            found = {name: _gradient(leaf) / self.scale for name, leaf in leaves.items()}
        if not all(gradient.isfinite().all() for gradient in found.values()):
            self.scale = max(1.0, self.scale / 2)
            return math.nan, found
        return sum(loss.item() for loss in losses), found

    def _denoised(self, batch: Batch, text: EncodedText) -> torch.Tensor:
        features, pooled = text
        x = self.denoiser.noised(batch.clean, batch.sigma, batch.noise)
        self.forward += len(x)
        return self.denoiser.denoised(x, batch.sigma, features, pooled)

    def _loss(self, denoised: torch.Tensor, batch: Batch) -> torch.Tensor:
        kind = self.settings.loss
        if kind == "plain" and self.denoiser.predicts_velocity:
            kind = "plain_velocity"
        return masked_loss(denoised, batch.clean, batch.mask, batch.sigma, kind)

    def _fixed_tokens(self, odd: int, vectors: Vectors | None) -> dict:
        sentence = self.prompts.fixed(odd)
        return sentence.plain if vectors is None else filled(sentence.learned, vectors)


def _cut_off(text: EncodedText) -> EncodedText:
    features, pooled = text
    own = None if pooled is None else pooled.detach().requires_grad_()
    return features.detach().requires_grad_(), own


def _pass_on(text: EncodedText, own: EncodedText) -> None:
    """Send the gradients that the cut off features have gathered back through `text`."""
    pairs = zip(text, own, strict=True)
    used = [(t, o.grad) for t, o in pairs if t is not None and o is not None and o.grad is not None]
    torch.autograd.backward([tensor for tensor, _ in used], [grad for _, grad in used])


def _gradient(leaf: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
