"""How much memory a training needs, and how it continues with less.

Host symbols:
    comfy.model_management: directml_enabled, free_memory(memory_required, device)
    comfy.model_management: get_free_memory(dev), is_oom(e), soft_empty_cache()
    comfy.model_patcher.ModelPatcher: get_model_object(name), load_device, model
    comfy.model_base.BaseModel: get_dtype(), manual_cast_dtype, model_config
    comfy.sd.CLIP: patcher
    comfy.model_detection.detect_unet_config: "model_channels"
"""

from __future__ import annotations

import functools
import math
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import comfy.model_management as management
import torch

from ....collage_core.errors import CollageError
from ....collage_core.inversion.settings import where
from .networks import TrainableDenoiser
from .task import Task
from .trainable_copy import cast_size, copied_size

# Numbers that autograd keeps for one picture, per latent cell and channel of the UNet's first
# level: counted on UNets of these shapes, plus a fifth for temporary tensors.
KEPT_NUMBERS = {"SD1.x": 340, "SD2.x": 340, "SDXL": 590}
CHECKPOINTED_SHARE = 1 / 3  # of these numbers with checkpointing; 0.16 to 0.32 were counted

P = ParamSpec("P")
T = TypeVar("T")


def check_room(task: Task) -> None:
    """Raise CollageError where the memory is too small even for the most thrifty plan."""
    needed = Counter({task.model.load_device: copied_size(task.model)})
    needed[task.clip.patcher.load_device] += copied_size(task.clip.patcher) + _encoders_kept(task)
    needed[task.model.load_device] += kept_bytes(task, pictures=1, checkpointing=True)
    for device, size in needed.items():
        free = _free(device, size)
        if size > free:
            raise CollageError(
                f"{where(task.layer.text, 'model')}: learning with it takes "
                f"{size / 1e9:.1f} GB of memory ({device}), and {free / 1e9:.1f} GB are free. "
                "Close other programs, take a smaller model, or choose the preset preview, "
                "which trains on smaller pictures."
            )


def kept_bytes(task: Task, *, pictures: int, checkpointing: bool) -> int:
    """The bytes that autograd keeps of so many pictures at once, and of weights that are cast."""
    model, kind = task.model.model, task.family.kind
    computed = task.model.get_model_object("manual_cast_dtype") or model.get_dtype()
    cells = (task.family.resolution(task.settings) // task.family.cell) ** 2
    channels = model.model_config.unet_config["model_channels"]
    kept = pictures * cells * channels * KEPT_NUMBERS[kind] * computed.itemsize
    if checkpointing:
        return int(kept * CHECKPOINTED_SHARE)
    return kept + cast_size(task.model, computed)


def _encoders_kept(task: Task) -> int:
    """The same of the text encoders, which compute in float32 whatever their weights are."""
    return cast_size(task.clip.patcher, torch.float32)


def _free(device, wanted: int) -> int:
    """The bytes that are free after ComfyUI has made room for the wanted ones."""
    if management.directml_enabled:  # it does not say how much memory it has
        return sys.maxsize
    management.free_memory(wanted, device)
    free: Any = management.get_free_memory(device)
    return free


class MemoryPlan:
    """Two ways to save memory: `parts` splits every batch, which changes the last bits of the
    results; checkpointing of the denoiser costs time and changes no bit.

        plan = MemoryPlan(task, denoiser)  # what the memory that is free now asks for
        plan.parts, denoiser.checkpointing  # 1, True
    """

    def __init__(self, task: Task, denoiser: TrainableDenoiser) -> None:
        self.denoiser, self.batch, self.parts = denoiser, task.settings.batch, 1
        self.where = where(task.layer.text, "model")
        wanted = kept_bytes(task, pictures=self.batch, checkpointing=False)
        free = _free(denoiser.device, wanted)
        if task.clip.patcher.load_device == denoiser.device:
            free -= _encoders_kept(task)

        def fits() -> bool:
            pictures = math.ceil(self.batch / self.parts)
            return kept_bytes(task, pictures=pictures, checkpointing=denoiser.checkpointing) < free

        denoiser.checkpointing = not fits()
        while not fits() and self.parts < self.batch:
            self.parts *= 2

    def save_more(self, error: Exception) -> None:
        """Split the batch further, then checkpoint. When both are done, raise an error of the same
        type with a remedy."""
        if self.parts < self.batch:
            self.parts *= 2
        elif not self.denoiser.checkpointing:
            self.denoiser.checkpointing = True
        else:
            raise type(error)(
                f"{self.where}: out of memory, even with one picture at a time and every "
                "block computed twice. Close other programs, take a smaller model, or "
                f"choose the preset preview. ({error})"
            ) from error

    @property
    def notes(self) -> list[str]:
        found = []
        if self.parts > 1:
            found.append(f"memory was short: each step was taken in {self.parts} parts")
        if self.denoiser.checkpointing:
            found.append("memory was short: every block was computed twice")
        return found


def repeated_with_less_memory(
    method: Callable[Concatenate[Any, P], T],
) -> Callable[Concatenate[Any, P], T]:
    """A method of an object with a `memory: MemoryPlan`, called again when memory runs out."""

    @functools.wraps(method)
    def repeat(self: Any, *args: P.args, **kwargs: P.kwargs) -> T:
        while True:
            try:
                return method(self, *args, **kwargs)
            except Exception as error:
                if not (management.is_oom(error) or "DefaultCPUAllocator" in str(error)):
                    raise
                self.memory.save_more(error)
            # only here nothing holds the tensors of the failed call any more
            management.soft_empty_cache()

    return repeat
