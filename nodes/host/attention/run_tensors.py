"""What a sampling run needs on its devices, made once and freed with the run.

A call of the model outside such a run makes everything anew.

Host symbols:
    comfy.patcher_extension.WrapperExecutor: class_obj
    comfy.samplers.CFGGuider: model_options, conds
    comfy.samplers.CFGGuider: outer_sample(noise, latent_image, sampler, sigmas)
    comfy.samplers: "OUTER_SAMPLE", "transformer_options", "sampler_calc_cond_batch_function"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

RUN = "collage_run"

T = TypeVar("T")


class RunTensors:
    """asks: whether a conditioning of the run has the key that it was begun for; past: the name
    of the function that another pack asks the model with, if any."""

    def __init__(self, *, asks: bool = True, past: str = "") -> None:
        self.asks = asks
        self.past = past
        self._made: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[], T]) -> T:
        """What `make` gave for this key the first time."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def clear(self) -> None:
        self._made.clear()


def during_a_run(key: str):
    """A wrapper OUTER_SAMPLE that puts RunTensors where the model's wrappers find them."""

    def keep(executor, *args, **kwargs):
        guider = executor.class_obj
        options = guider.model_options.setdefault("transformer_options", {})
        asks = any(key in entry for cond in guider.conds.values() for entry in cond or ())
        past = guider.model_options.get("sampler_calc_cond_batch_function")
        run = options[RUN] = RunTensors(asks=asks, past=name_of(past) if past else "")
        try:
            return executor(*args, **kwargs)
        finally:
            options.pop(RUN, None)
            run.clear()

    return keep


def name_of(function: Any) -> str:
    """Where a function of another pack comes from, as messages name it."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', '')}.{name}".lstrip(".")
