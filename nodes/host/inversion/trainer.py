"""A training, one step at a time.

A resumed training gives the same result: its saved state and the step determine what follows.
"""

from __future__ import annotations

import math
import time

import torch

from ....collage_core.errors import CollageError
from ....collage_core.inversion.descent import AdamW, Optimizer, SphereDescent, angle
from ....collage_core.inversion.outcome import Outcome
from ....collage_core.inversion.progress import Pace, Progress
from ....collage_core.inversion.settings import where
from ....collage_core.storage.embedding_file import Vectors
from .loss import LayerLoss
from .prompts import first_vectors
from .task import Task
from .trainable_copy import gradients

SLOW_DEVICES = ("cpu", "mps", "privateuseone")  # privateuseone is DirectML


class Trainer:
    """Learns the vectors of a task.

        trainer = Trainer(task)
        while not trainer.done:
            trainer.step()
        trainer.vectors()  # {"l": [2, 768]}: the best of all evaluations

    progress: None before the first step. seconds: spent in steps, in earlier runs too.
    """

    def __init__(self, task: Task) -> None:
        self.task, self.layer_loss = task, LayerLoss(task)
        with gradients():
            self.start = first_vectors(task, self.layer_loss.text)
            kind = SphereDescent if task.settings.fixed_norm else AdamW
            self.optimizer: Optimizer = kind(self.start)
        self.progress: Progress | None = None
        self.seconds, self.pace = 0.0, Pace()

    @property
    def done(self) -> bool:
        late = self.seconds > self.task.settings.max_seconds
        return self.progress is not None and (self.progress.done or late)

    @property
    def steps(self) -> int:
        return self.progress.step if self.progress else 0

    @property
    def gain(self) -> float:
        return self.progress.gain if self.progress else 0.0

    def vectors(self) -> Vectors:
        """The best vectors so far, {encoder: [n, width] float32} on the CPU."""
        best = self.progress.best if self.progress else None
        return {name: value.float().cpu() for name, value in (best or self.start).items()}

    @torch.inference_mode(False)
    def step(self) -> float:
        """One step of the optimizer. Returns its loss; NaN where the step was left out."""
        begun = time.perf_counter()
        progress = self.progress = self.progress or self._first_evaluations()
        after_evaluations = time.perf_counter()
        loss, found = self.layer_loss.gradient(self.optimizer.vectors, progress.step)
        if math.isfinite(loss):
            rate = self.task.settings.rate(progress.step, scale=0.5**progress.halvings)
            self.optimizer.step(found, rate)
        if progress.stepped(loss):
            self.optimizer.restart(progress.best)
        self.pace.stepped(time.perf_counter() - after_evaluations)
        self._evaluate_if_due(progress)
        self.seconds += time.perf_counter() - begun
        return loss

    def preview(self) -> torch.Tensor | None:
        """The object as the model predicts it now: a small IMAGE, once after every evaluation."""
        return self.layer_loss.preview()

    @property
    def slowness(self) -> str:
        """A warning about a slow device, from the third step on; else empty."""
        settings, device = self.task.settings, self.layer_loss.denoiser.device.type
        if device not in SLOW_DEVICES:
            return ""
        return self.pace.warning(device, settings.steps, settings.evaluate_every)

    @property
    def time_left(self) -> str:
        settings = self.task.settings
        return self.pace.left(settings.steps - self.steps, settings.evaluate_every)

    def report(self) -> Outcome:
        progress, best, losses = self.progress, self.vectors(), self.layer_loss
        assert progress is not None
        best_step = min(progress.evaluations, key=lambda evaluation: evaluation[1])[0]
        notes = [*losses.prompts.notes, *losses.memory.notes]
        if self.slowness:
            notes.append(self.slowness)
        if progress.halvings:
            notes.append(
                "some steps were not numbers and were left out; later steps were half as large"
            )
        return Outcome(
            gain=progress.gain,
            loss=progress.best_loss,
            loss_without=progress.baseline_loss,
            angle=angle(best, self.start),
            norms={name: value.norm(dim=-1).mean().item() for name, value in best.items()},
            vectors=len(next(iter(best.values()))),
            steps=progress.step,
            planned=self.task.settings.steps,
            best_step=best_step,
            passes=(losses.forward, losses.backward),
            seconds=self.seconds,
            notes=tuple(notes),
        )

    def state_dict(self) -> dict:
        """Tensors and plain numbers for `load_state_dict`; the names are those of saved files."""
        assert self.progress is not None
        losses = self.layer_loss
        return {
            "seconds": self.seconds,
            "forward": losses.forward,
            "backward": losses.backward,
            "scale": losses.scale,
            "parts": losses.memory.parts,
            "descent": self.optimizer.state_dict(),
            "progress": self.progress.state_dict(),
        }

    @torch.inference_mode(False)
    def load_state_dict(self, state: dict) -> None:
        """Raises an error of one of many types for a state of another version."""
        losses, expected = self.layer_loss, _shapes(self.optimizer.vectors)
        self.seconds = float(state["seconds"])
        losses.forward, losses.backward = int(state["forward"]), int(state["backward"])
        losses.scale = float(state["scale"])
        losses.memory.parts = max(losses.memory.parts, int(state["parts"]))
        self.optimizer.load_state_dict(state["descent"])
        self.progress = Progress(self.task.settings, 1.0)
        self.progress.load_state_dict(state["progress"])
        for vectors in (self.optimizer.vectors, self.progress.best):
            if _shapes(vectors) != expected:
                raise ValueError("vectors of other shapes")
        self._evaluate_if_due(self.progress)  # an interrupt may have ended an evaluation

    def _first_evaluations(self) -> Progress:
        """Evaluate without vectors and with the start vectors."""
        baseline_loss, first = self._evaluate(None), self._evaluate(self.optimizer.vectors)
        if not (math.isfinite(baseline_loss) and math.isfinite(first)):
            raise CollageError(
                f"{where(self.task.layer.text, 'model')}: its prediction for this layer holds NaN "
                "or infinite values. Check the model and its precision, e.g. start ComfyUI with "
                "--fp32-unet."
            )
        progress = Progress(self.task.settings, baseline_loss)
        progress.evaluated(first, self.optimizer.vectors)
        return progress

    def _evaluate_if_due(self, progress: Progress) -> None:
        vectors = self.optimizer.vectors
        if progress.due and math.isfinite(loss := self._evaluate(vectors)):
            progress.evaluated(loss, vectors)

    def _evaluate(self, vectors: Vectors | None) -> float:
        begun = time.perf_counter()
        loss = self.layer_loss.evaluate(vectors)
        self.pace.evaluated(time.perf_counter() - begun)
        return loss


def _shapes(vectors: Vectors) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in vectors.items()}
