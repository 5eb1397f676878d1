"""What a sampling run needs on its devices, made once and freed with the run.

A call of the model outside such a run makes everything anew.

Host symbols:
    comfy.patcher_extension.WrapperExecutor: class_obj
    comfy.samplers.CFGGuider: model_options
    comfy.samplers.CFGGuider: outer_sample(noise, latent_image, sampler, sigmas)
    comfy.samplers: "OUTER_SAMPLE", "transformer_options"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

RUN = "collage_run"

T = TypeVar("T")


class RunTensors:
    def __init__(self) -> None:
        self._made: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[], T]) -> T:
        """What `make` gave for this key the first time."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def clear(self) -> None:
        self._made.clear()


def during_a_run(executor, *args, **kwargs):
    """The wrapper OUTER_SAMPLE that puts RunTensors where the model's wrappers find them."""
    options = executor.class_obj.model_options.setdefault("transformer_options", {})
    run = options[RUN] = RunTensors()
    try:
        return executor(*args, **kwargs)
    finally:
        options.pop(RUN, None)
        run.clear()


def name_of(function: Any) -> str:
    """Where a function of another pack comes from, as messages name it."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', '')}.{name}".lstrip(".")
