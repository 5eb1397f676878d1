"""A layer's look as a LoRA: learned from the views, noise and losses that vectors are learned from.

The prompts are those of the vectors' training without the vectors. The LoRA is that of the demo's
own (`demo/train/lora.py`): rank 4, linear layers of attention and convolutions.
"""

from __future__ import annotations

import random
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from collage_core.inversion.loss import masked_loss
from collage_core.inversion.progress import Progress
from collage_core.storage.atomic_write import write_whole

from ..pack import load_pack
from ..train.lora import Lora

MOST_GRADIENT = 1.0  # norm of a step's gradient


class LoraTrainer:
    """Learns a LoRA of a Task's layer on a copy of its model, where only the LoRA moves.

    trainer = LoraTrainer(task)
    while not trainer.done:
        trainer.step()
    trainer.file()  # the best of all evaluations, named as in a LoRA file
    """

    def __init__(self, task: Any) -> None:
        losses = import_module(f"{load_pack().__name__}.nodes.host.inversion.loss")
        self.task, self.losses = task, losses.LayerLoss(task)
        with torch.inference_mode(False), torch.random.fork_rng():
            torch.manual_seed(task.seed)
            self.lora = Lora(self.losses.denoiser.model.diffusion_model)
            self.lora.to(self.losses.denoiser.device)
        factors = self.lora.parameters()
        self.optimizer = torch.optim.AdamW(factors, betas=(0.9, 0.99), weight_decay=0.0)
        loss = self.losses.evaluate(None)
        self.progress = Progress(task.settings, loss)
        self.progress.evaluated(loss, self.lora.state_dict())

    @property
    def done(self) -> bool:
        return self.progress.done

    @property
    def passes(self) -> int:
        """Pictures that went through the UNet, forward and backward."""
        return self.losses.forward + self.losses.backward

    @torch.inference_mode(False)
    def step(self) -> None:
        progress = self.progress
        self.optimizer.zero_grad()
        # the host's networks add in place
        with torch.enable_grad(), torch.autograd.graph.allow_mutation_on_saved_tensors():
            loss = self._loss(progress.step)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.lora.parameters(), MOST_GRADIENT)
        for group in self.optimizer.param_groups:
            group["lr"] = self.task.settings.rate(progress.step)
        self.optimizer.step()
        progress.stepped(loss.item())
        if progress.due:
            progress.evaluated(self.losses.evaluate(None), self.lora.state_dict())

    def file(self) -> dict[str, torch.Tensor]:
        """The best factors so far, as a LoRA file names them."""
        self.lora.load_state_dict(self.progress.best)
        return self.lora.file()

    def _loss(self, step: int) -> torch.Tensor:
        batch, losses = self.losses.pictures.drawn(step), self.losses
        x = losses.denoiser.noised(batch.clean, batch.sigma, batch.noise)
        losses.forward += len(x)
        losses.backward += len(x)
        denoised = losses.predict(x, batch.sigma, self._text(step))
        kind = self.task.settings.loss
        return masked_loss(denoised, batch.clean, batch.mask, batch.sigma, kind).mean()

    @torch.no_grad()
    def _text(self, step: int) -> Any:
        """The conditioning of a step: as often the collage's own prompt as for vectors."""
        prompts, rng = self.losses.prompts, random.Random(f"{self.task.seed}/prompt/{step}")
        sentence = prompts.scene
        if sentence is None or rng.random() >= self.task.settings.collage_prompt:
            sentence = rng.choice(prompts.templates)
        return self.losses.text.encode(sentence.without_token)


@cache
def _folder() -> tempfile.TemporaryDirectory:
    """Where ComfyUI finds what was learned, until this process ends."""
    import folder_paths  # the host's

    folder = tempfile.TemporaryDirectory(prefix="learned-loras-")
    folder_paths.add_model_folder_path("loras", folder.name)
    return folder


def listed(name: str, weights: dict[str, torch.Tensor]) -> str:
    """Write a LoRA where ComfyUI lists it. Returns its name there."""
    file = f"{name}.safetensors"
    write_whole(Path(_folder().name) / file, save(weights), replace=True)
    return file
