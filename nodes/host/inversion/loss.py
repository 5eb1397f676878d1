"""The loss of vectors before a layer's phrase, and its gradient, on trainable copies.

Every random number depends on the seed and the step alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from ....collage_core.inversion.loss import masked_loss
from ....collage_core.inversion.settings import NODE
from ....collage_core.storage.embedding_file import Vectors
from ..models.embeddings_in_memory import fill_placeholders
from .batches import FIXED_PICTURES, Batch, TrainingPictures
from .memory import MemoryPlan, check_room, repeated_with_less_memory
from .networks import Conditioning, TrainableDenoiser, TrainableTextEncoder
from .prompts import TrainingPrompts
from .task import Task, encoded
from .trainable_copy import gradients

HALF_SCALE = 1024.0  # of the loss in half precision, so that small gradients do not vanish
PREVIEWED = 9  # number of a picture in the fixed set: the object is large and before grey

# x [B, C, h, w], sigma [B], conditioning of one prompt -> predicted clean latent
Predict = Callable[[torch.Tensor, torch.Tensor, Conditioning], torch.Tensor]


class LayerLoss:
    """The loss of a task's layer. Call the methods with inference mode off.

        losses = LayerLoss(task)
        losses.evaluate(None)  # on the fixed set, without vectors
        loss, gradient = losses.gradient({"l": vectors}, step=0)

    predict: the copy of the task's model, unless something else is set. forward, backward:
    pictures through it. scale: what the loss is multiplied with before the backward pass.
    """

    def __init__(self, task: Task) -> None:
        check_room(task)
        latents = encoded(task.model, task.vae, task.views.pictures)
        self.task = task
        self.prompts = TrainingPrompts(task)
        with gradients():
            self.denoiser = TrainableDenoiser(task.model, f"{NODE}, input model")
            self.text = TrainableTextEncoder(task.clip, f"{NODE}, input clip")
            self.pictures = TrainingPictures(task, latents, self.denoiser)
        self.predict: Predict = self.denoiser
        self.memory = MemoryPlan(task, self.denoiser)
        self.scale = HALF_SCALE if self.denoiser.half else 1.0
        self.forward, self.backward = 0, 0
        self._previewed: torch.Tensor | None = None

    @repeated_with_less_memory
    def gradient(self, vectors: Vectors, step: int) -> tuple[float, Vectors]:
        """The loss of a step's batch and its gradient; NaN where the gradient is not finite."""
        batch = self.pictures.drawn(step)
        tokens = self.prompts.drawn(step)
        count = len(batch.sigma)
        size = math.ceil(count / self.memory.parts)
        with gradients():
            leaves = {name: v.detach().clone().requires_grad_() for name, v in vectors.items()}
            text = self.text.encode(fill_placeholders(tokens, leaves))
            own = _detached(text)  # so that all parts share one pass through the text encoders
            losses = []
            for first in range(0, count, size):
                part = batch.part(slice(first, first + size))
                loss = self._losses(part, own)[0].sum() / count
                (loss * self.scale).backward()
                losses.append(loss.detach())
            self.backward += count
            _backward_through(text, own)
            found = {name: _gradient(leaf) / self.scale for name, leaf in leaves.items()}
        if not all(gradient.isfinite().all() for gradient in found.values()):
            self.scale = max(1.0, self.scale / 2)
            return math.nan, found
        return sum(loss.item() for loss in losses), found

    @repeated_with_less_memory
    def evaluate(self, vectors: Vectors | None) -> float:
        """The loss on the fixed set with these vectors, or with prompts that contain none."""
        size = max(1, self.task.settings.batch // self.memory.parts)
        losses = []
        with gradients(), torch.no_grad():
            for odd in range(2):
                sentence = self.prompts.fixed(odd)
                tokens = sentence.without_token
                if vectors is not None:
                    tokens = fill_placeholders(sentence.with_token, vectors)
                text = self.text.encode(tokens)
                for numbers in torch.arange(odd, FIXED_PICTURES, 2).split(size):
                    loss, denoised = self._losses(self.pictures.fixed(numbers), text)
                    losses.append(loss.sum())
                    if vectors is not None and PREVIEWED in numbers:
                        self._previewed = denoised[numbers == PREVIEWED]
        return sum(loss.item() for loss in losses) / FIXED_PICTURES

    def preview(self) -> torch.Tensor | None:
        """The object as the model predicted it in the last evaluation with vectors: a small IMAGE
        [1, H, W, 3]. Each prediction is returned once."""
        denoised, self._previewed = self._previewed, None
        with torch.inference_mode(False), torch.no_grad():
            return None if denoised is None else self.denoiser.preview_image(denoised)

    def _losses(self, batch: Batch, text: Conditioning) -> tuple[torch.Tensor, torch.Tensor]:
        """Losses [B] and predicted clean latents [B, C, h, w]."""
        x = self.denoiser.noised(batch.clean, batch.sigma, batch.noise)
        self.forward += len(x)
        denoised = self.predict(x, batch.sigma, text)
        kind = self.task.settings.loss
        if kind == "plain" and self.denoiser.predicts_velocity:
            kind = "plain_velocity"
        return masked_loss(denoised, batch.clean, batch.mask, batch.sigma, kind), denoised


def _detached(text: Conditioning) -> Conditioning:
    features, pooled = text
    own = None if pooled is None else pooled.detach().requires_grad_()
    return features.detach().requires_grad_(), own


def _backward_through(text: Conditioning, own: Conditioning) -> None:
    """Send the gradients that the detached features have gathered back through `text`."""
    pairs = zip(text, own, strict=True)
    used = [(t, o.grad) for t, o in pairs if t is not None and o is not None and o.grad is not None]
    torch.autograd.backward([tensor for tensor, _ in used], [grad for _, grad in used])


def _gradient(leaf: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
