"""How much memory a training needs, and how it gets by with less.

Host symbols:
    comfy.model_management: directml_enabled, free_memory(memory_required, device)
    comfy.model_management: get_free_memory(dev), is_oom(e), soft_empty_cache()
    comfy.model_patcher.ModelPatcher: get_model_object(name), load_device, model
    comfy.model_base.BaseModel: get_dtype(), manual_cast_dtype, model_config
    comfy.sd.CLIP: patcher
    comfy.model_detection.detect_unet_config: "model_channels"
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import comfy.model_management as management
import torch

from ....collage_core.errors import CollageError, quoted
from ....collage_core.inversion.settings import NODE
from .denoiser import PrivateDenoiser
from .task import Task
from .trainable_copy import cast_size, copied_size

# Numbers that autograd keeps for one picture, per latent cell and channel of the UNet's first
# level: counted on UNets of these shapes, a fifth added for what comes and goes meanwhile.
KEPT = {"SD1.x": 340, "SD2.x": 340, "SDXL": 590}
CHECKPOINTED = 1 / 3  # of them where blocks are computed twice; 0.16 to 0.32 were counted

T = TypeVar("T")


def check_room(task: Task) -> None:
    """Raises CollageError where a training could not take place even with the least memory."""
    needed = Counter({task.model.load_device: copied_size(task.model)})
    needed[task.clip.patcher.load_device] += copied_size(task.clip.patcher) + _encoders_kept(task)
    needed[task.model.load_device] += kept_bytes(task, pictures=1, checkpointing=True)
    for device, size in needed.items():
        free = _free(device, size)
        if size > free:
            raise CollageError(
                f"{NODE}, layer {quoted(task.layer.text)}, input model: learning with it takes "
                f"{size / 1e9:.1f} GB of memory ({device}), and {free / 1e9:.1f} GB are free. "
                "Close other programs, take a smaller model, or choose the preset preview, "
                "which looks at smaller pictures."
            )


def kept_bytes(task: Task, *, pictures: int, checkpointing: bool) -> int:
    """What autograd keeps of so many pictures at once, the weights in another precision too."""
    model, kind = task.model.model, task.family.kind
    computed = task.model.get_model_object("manual_cast_dtype") or model.get_dtype()
    cells = (task.family.resolution(task.settings) // task.family.cell) ** 2
    channels = model.model_config.unet_config["model_channels"]
    kept = pictures * cells * channels * KEPT[kind] * computed.itemsize
    if checkpointing:
        return int(kept * CHECKPOINTED)
    return kept + cast_size(task.model, computed)


def _encoders_kept(task: Task) -> int:
    """Of the text encoders, which are computed in float32 whatever their weights are."""
    return cast_size(task.clip.patcher, torch.float32)


def _free(device, wanted: int) -> int:
    """The bytes that are free once the host has put away what stands in the way of so many."""
    if management.directml_enabled:  # whose memory nobody can ask for
        return sys.maxsize
    management.free_memory(wanted, device)
    free: Any = management.get_free_memory(device)
    return free


class Thrift:
    """What a training does to need less memory: it takes every batch in `parts`, which changes
    the last bits of its results, or lets the denoiser compute blocks twice, which changes none."""

    def __init__(self, task: Task, denoiser: PrivateDenoiser) -> None:
        self.denoiser, self.batch, self.parts = denoiser, task.settings.batch, 1
        self.where = f"{NODE}, layer {quoted(task.layer.text)}, input model"

    def plan(self, task: Task) -> None:
        """Begin with as much of it as the memory that is free now asks for."""
        wanted = kept_bytes(task, pictures=self.batch, checkpointing=False)
        free = _free(self.denoiser.device, wanted)
        if task.clip.patcher.load_device == self.denoiser.device:
            free -= _encoders_kept(task)

        def fits() -> bool:
            pictures = math.ceil(self.batch / self.parts)
            checkpointing = self.denoiser.checkpointing
            return kept_bytes(task, pictures=pictures, checkpointing=checkpointing) < free

        self.denoiser.checkpointing = not fits()
        while not fits() and self.parts < self.batch:
            self.parts *= 2

    def within(self, work: Callable[[], T]) -> T:
        """The result of work that looks at `parts`, begun again with more of it whenever the
        memory runs out. Raises the host's own error, in a sentence, when nothing helps."""
        while True:
            try:
                return work()
            except Exception as error:
                if not (management.is_oom(error) or "DefaultCPUAllocator" in str(error)):
                    raise
                if self.denoiser.checkpointing and self.parts >= self.batch:
                    raise type(error)(
                        f"{self.where}: out of memory, even with one picture at a time and every "
                        "block computed twice. Close other programs, take a smaller model, or "
                        f"choose the preset preview. ({error})"
                    ) from error
            self._save()  # here, where nothing holds the tensors of the failure any more
            management.soft_empty_cache()

    def _save(self) -> None:
        if self.parts < self.batch:
            self.parts *= 2
        else:
            self.denoiser.checkpointing = True

    @property
    def notes(self) -> list[str]:
        found = []
        if self.parts > 1:
            found.append(f"memory was short: each step was taken in {self.parts} parts")
        if self.denoiser.checkpointing:
            found.append("memory was short: every block was computed twice")
        return found
