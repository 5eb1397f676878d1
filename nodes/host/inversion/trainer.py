"""Learning the words that make a model paint one layer's very object: a step at a time.

A run that is taken up again goes on exactly, as its state and the step determine what follows.
"""

from __future__ import annotations

import math
import time

import torch

from ....collage_core.errors import CollageError, quoted
from ....collage_core.inversion.descent import AdamW, SphereDescent, angle
from ....collage_core.inversion.outcome import Outcome
from ....collage_core.inversion.pace import Pace
from ....collage_core.inversion.progress import Progress
from ....collage_core.inversion.settings import NODE
from ..models.embeddings_in_memory import Vectors
from .loss import LayerLoss
from .prompts import first_vectors
from .task import Task
from .trainable_copy import gradients

SLOW_DEVICES = ("cpu", "mps", "privateuseone")  # the last is DirectML


class Trainer:
    """Call `step` until `done`; `vectors` are the best of all that the fixed set has seen."""

    def __init__(self, task: Task) -> None:
        settings, layer = task.settings, task.layer
        self.settings, self.layer = settings, layer
        self.layer_loss = LayerLoss(task)
        count, text = task.family.vectors(settings), self.layer_loss.text
        with gradients():
            self.start = first_vectors(task.clip, text, layer, settings, count, task.seed)
            descent = SphereDescent if settings.fixed_norm else AdamW
            self.descent = descent(self.start)
        self.progress: Progress | None = None
        self.seconds, self.pace = 0.0, Pace()

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
            begun, looking = time.perf_counter(), self.pace.looking
            loss = self._step()
            took = time.perf_counter() - begun
        self.seconds += took
        self.pace.stepped(took - (self.pace.looking - looking))
        return loss

    def _step(self) -> float:
        if self.progress is None:
            self._look_first()
        progress = self.progress
        assert progress is not None
        loss, found = self.layer_loss.gradient(self.descent.vectors, progress.step)
        if math.isfinite(loss):
            self.descent.step(
                found, self.settings.rate(progress.step, scale=0.5**progress.halvings)
            )
        if progress.stepped(loss):
            self.descent.restart(progress.best)
        self._look_if_due()
        return loss

    def preview(self) -> torch.Tensor | None:
        """The layer's present look as a small IMAGE, whenever there is a new one."""
        return self.layer_loss.preview()

    @property
    def slowness(self) -> str:
        """What is to be warned of when the device is slow, from the third step on."""
        device = self.layer_loss.denoiser.device.type
        if device not in SLOW_DEVICES:
            return ""
        return self.pace.warning(device, self.settings.steps, self.settings.evaluate_every)

    @property
    def time_left(self) -> str:
        more = self.settings.steps - self.steps
        return self.pace.left(more, self.settings.evaluate_every)

    def report(self) -> Outcome:
        progress, best, losses = self.progress, self.vectors(), self.layer_loss
        assert progress is not None
        best_step = min(progress.evaluations, key=lambda seen: seen[1])[0]
        notes = [*losses.prompts.notes, *losses.memory.notes]
        if self.slowness:
            notes.append(self.slowness)
        if progress.halvings:
            notes.append("some steps were not numbers and were left out, the rest made smaller")
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
            passes=(losses.forward, losses.backward),
            seconds=self.seconds,
            notes=tuple(notes),
        )

    def state_dict(self) -> dict:
        """Tensors and plain numbers from which `load_state_dict` goes on."""
        assert self.progress is not None
        return {
            "seconds": self.seconds,
            **self.layer_loss.state_dict(),
            "descent": self.descent.state_dict(),
            "progress": self.progress.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        with torch.inference_mode(False):
            wanted = _shapes(self.descent.vectors)
            self.seconds = float(state["seconds"])
            self.layer_loss.load_state_dict(state)
            self.descent.load_state_dict(state["descent"])
            self.progress = Progress(self.settings, 1.0)
            self.progress.load_state_dict(state["progress"])
            for vectors in (self.descent.vectors, self.progress.best):
                if _shapes(vectors) != wanted:
                    raise ValueError("vectors of other shapes")
            self._look_if_due()  # where an interrupt came in the middle of a look

    def _look_first(self) -> None:
        """The losses before any training."""
        without, first = self._look(None), self._look(self.descent.vectors)
        if not (math.isfinite(without) and math.isfinite(first)):
            raise CollageError(
                f"{NODE}, layer {quoted(self.layer.text)}, input model: its prediction for this "
                "layer holds NaN or infinite values. Check the model and its precision, e.g. "
                "start ComfyUI with --fp32-unet."
            )
        self.progress = Progress(self.settings, without)
        self.progress.evaluated(first, self.descent.vectors)

    def _look_if_due(self) -> None:
        assert self.progress is not None
        if self.progress.due and math.isfinite(loss := self._look(self.descent.vectors)):
            self.progress.evaluated(loss, self.descent.vectors)

    def _look(self, vectors: Vectors | None) -> float:
        begun = time.perf_counter()
        loss = self.layer_loss.fixed(vectors)
        self.pace.looked(time.perf_counter() - begun)
        return loss


def _shapes(vectors: Vectors) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in vectors.items()}
