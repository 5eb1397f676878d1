"""Learning the words that make a model paint one layer's very object: a step at a time.

Nothing shared takes part: the networks are private copies, every random number comes from a
generator that its seed and step determine, so a run that is taken up again goes on exactly.

Host symbols: comfy.model_management.{is_oom, soft_empty_cache}, latent_format.latent_rgb_factors
and .latent_rgb_factors_bias; the rest is in private_copy and private_denoiser.
"""

from __future__ import annotations

import math
import time

import comfy.model_management
import torch
import torch.nn.functional as F

from ...collage_core.errors import CollageError, quoted
from ...collage_core.inversion.loss import masked_loss
from ...collage_core.inversion.outcome import Outcome
from ...collage_core.inversion.progress import Progress
from ...collage_core.inversion.settings import NODE
from ...collage_core.inversion.sphere import AdamW, SphereDescent, angle
from .inversion_inputs import Task, encoded
from .inversion_prompts import TrainingPrompts, first_vectors
from .memory_words import Vectors, filled
from .private_copy import EncodedText, PrivateText, gradients
from .private_denoiser import PrivateDenoiser
from .training_pictures import FIXED, Batch, TrainingPictures

HALF_SCALE = 1024.0  # keeps gradients of half precision from vanishing


class Trainer:
    """Call `step` until `done`; `vectors` are the best of all that the fixed set has seen."""

    def __init__(self, task: Task) -> None:
        family, settings, layer = task.family, task.settings, task.layer
        latents = encoded(task.model, task.vae, task.views.pictures)
        self.settings, self.seed, self.layer = settings, task.seed, layer
        vectors = family.vectors(settings)
        self.prompts = TrainingPrompts(task.clip, layer, task.collage, vectors)
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
            self.start = first_vectors(task.clip, self.text, layer, settings, vectors, task.seed)
            descent = SphereDescent if settings.fixed_norm else AdamW
            self.descent = descent(self.start)
        self.progress: Progress | None = None
        self.seconds, self.scale, self.parts = 0.0, HALF_SCALE if self.denoiser.half else 1.0, 1
        self.forward, self.backward = 0, 0

    @property
    def done(self) -> bool:
        late = self.seconds > self.settings.max_seconds
        return self.progress is not None and (self.progress.done or late)

    @property
    def steps(self) -> int:
        return self.progress.step if self.progress else 0

    @property
    def gain(self) -> float:
        return self.progress.gain if self.progress else 0.0

    def vectors(self) -> Vectors:
        """{encoder: [n, width] float32} on the CPU."""
        best = self.progress.best if self.progress else None
        return {name: value.float().cpu() for name, value in (best or self.start).items()}

    def step(self) -> float:
        """One step of the optimiser; its loss, NaN where the step had to be left out."""
        with torch.inference_mode(False):
            begun = time.perf_counter()
            loss = self._step()
            self.seconds += time.perf_counter() - begun
        return loss

    def _step(self) -> float:
        if self.progress is None:
            self._look_first()
        progress = self.progress
        assert progress is not None
        loss, found = self._gradient(progress.step)
        if not all(gradient.isfinite().all() for gradient in found.values()):
            loss = math.nan
            self.scale = max(1.0, self.scale / 2)
        if math.isfinite(loss):
            self.descent.step(
                found, self.settings.rate(progress.step, scale=0.5**progress.halvings)
            )
        if progress.stepped(loss):
            self.descent.restart(progress.best)
        if progress.due:
            progress.evaluated(self.evaluate(), self.descent.vectors)
        return loss

    def evaluate(self, *, learned: bool = True) -> float:
        """The loss on the fixed set: of the present vectors, or of prompts without any."""
        size = max(1, self.settings.batch // self.parts)
        with gradients(), torch.no_grad():
            total = 0.0
            for odd in range(2):
                text = self.text.encode(self._fixed_tokens(odd, learned=learned))
                for numbers in torch.arange(odd, FIXED, 2).split(size):
                    batch = self.pictures.fixed(numbers)
                    total += self._loss(self._denoised(batch, text), batch).sum().item()
        return total / FIXED

    def report(self) -> Outcome:
        progress, best = self.progress, self.vectors()
        assert progress is not None
        best_step = min(progress.evaluations, key=lambda seen: seen[1])[0]
        notes = list(self.prompts.notes)
        if progress.halvings:
            notes.append("some steps were not numbers and were left out, the rest made smaller")
        if self.parts > 1:
            notes.append(f"memory ran out: each step was taken in {self.parts} parts")
        return Outcome(
            gain=progress.gain,
            loss=progress.best_loss,
            loss_without=progress.without,
            angle=angle(best, self.start),
            norms={name: value.norm(dim=-1).mean().item() for name, value in best.items()},
            vectors=len(next(iter(best.values()))),
            steps=progress.step,
            planned=self.settings.steps,
            best_step=best_step,
            passes=(self.forward, self.backward),
            seconds=self.seconds,
            notes=tuple(notes),
        )

    def preview(self) -> torch.Tensor:
        """What the model makes of the object at half its noise: a small IMAGE [1, H, W, 3]."""
        with gradients(), torch.no_grad():
            batch = self.pictures.fixed(torch.tensor([FIXED // 2]))
            text = self.text.encode(self._fixed_tokens(1, learned=True))
            denoised = self._denoised(batch, text)
            latent_format = self.denoiser.model.latent_format
            colours = denoised[:, :3]
            if latent_format.latent_rgb_factors is not None:
                factors = torch.tensor(latent_format.latent_rgb_factors).to(denoised)
                colours = torch.einsum("bchw,cr->brhw", denoised, factors)
            if latent_format.latent_rgb_factors_bias is not None:
                bias = torch.tensor(latent_format.latent_rgb_factors_bias).to(denoised)
                colours = colours + bias.view(1, 3, 1, 1)
            picture = F.interpolate((colours + 1) / 2, scale_factor=4.0, mode="bilinear")
        return picture.clamp(0, 1).movedim(1, -1).cpu()

    def state_dict(self) -> dict:
        """Tensors and plain numbers from which `load_state_dict` goes on."""
        assert self.progress is not None
        counts = {"seconds": self.seconds, "scale": self.scale, "parts": self.parts}
        passes = {"forward": self.forward, "backward": self.backward}
        return {
            **counts,
            **passes,
            "descent": self.descent.state_dict(),
            "progress": self.progress.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        with torch.inference_mode(False):
            self.seconds, self.scale = float(state["seconds"]), float(state["scale"])
            self.parts, self.forward = int(state["parts"]), int(state["forward"])
            self.backward = int(state["backward"])
            self.descent.load_state_dict(state["descent"])
            self.progress = Progress(self.settings, 1.0)
            self.progress.load_state_dict(state["progress"])

    def _look_first(self) -> None:
        """The losses before any training."""
        without = self.evaluate(learned=False)
        if not math.isfinite(without):
            raise CollageError(
                f"{NODE}, layer {quoted(self.layer.text)}, input model: its prediction for this "
                "layer holds NaN or infinite values. Check the model and its precision, e.g. "
                "start ComfyUI with --fp32-unet."
            )
        self.progress = Progress(self.settings, without)
        self.progress.evaluated(self.evaluate(), self.descent.vectors)

    def _gradient(self, step: int) -> tuple[float, Vectors]:
        """Loss and gradient of one step, in as many parts as memory asks for."""
        batch, tokens = (
            self.pictures.drawn(step),
            self.prompts.drawn(self.settings, self.seed, step),
        )
        while True:
            try:
                return self._gradient_in_parts(batch, tokens)
            except Exception as error:
                if not comfy.model_management.is_oom(error) or self.parts >= len(batch.sigma):
                    raise
            self.parts *= 2
            comfy.model_management.soft_empty_cache()

    def _gradient_in_parts(self, batch: Batch, tokens: dict) -> tuple[float, Vectors]:
        count = len(batch.sigma)
        size = math.ceil(count / self.parts)
        with gradients():
            leaves = {
                name: value.detach().clone().requires_grad_()
                for name, value in self.descent.vectors.items()
            }
            total = 0.0
            for first in range(0, count, size):
                part = batch.part(slice(first, first + size))
                denoised = self._denoised(part, self.text.encode(filled(tokens, leaves)))
                loss = self._loss(denoised, part).sum() / count
                (loss * self.scale).backward()
                total += loss.item()
            self.backward += count
            return total, {name: _gradient(leaf) / self.scale for name, leaf in leaves.items()}

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

    def _fixed_tokens(self, odd: int, *, learned: bool) -> dict:
        sentence = self.prompts.fixed(odd)
        if not learned:
            return sentence.plain
        return filled(sentence.learned, self.descent.vectors)


def _gradient(leaf: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
