"""What a sampling run makes once, for all of its model calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..models.transformers import Layout

RUN = "collage_run"

T = TypeVar("T")


class RunTensors:
    """What a sampling run needs on its devices: made once, and freed with the run.

    biased: whether a conditioning of the run has a bias; predictor: the function of another pack
    that asks the model for predictions, by name, empty without one; begins: the sigma at which the
    whole schedule begins of which this run may be a later part, None if that is not known.

    called: whether the model was, so far; meant: the layout of a transformer's attention that was
    to be biased, None without; acted: whether any was.

        run = options.get(RUN) or RunTensors()  # a call outside a run makes everything anew
        weights = run.get((bias, size), lambda: bias.weights_of(cells, size))
    """

    def __init__(
        self, *, biased: bool = True, predictor: str = "", begins: float | None = None
    ) -> None:
        self.biased = biased
        self.predictor = predictor
        self.begins = begins
        self.called = self.acted = False
        self.meant: Layout | None = None
        self._made: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[], T]) -> T:
        """What `make` returned for this key the first time."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def clear(self) -> None:
        self._made.clear()
