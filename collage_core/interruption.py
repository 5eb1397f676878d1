"""Long loops ask here whether the user has stopped the run.

Whom they ask is the host's matter, of which the core knows nothing: `nodes/host` sets it once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_checks: list[Callable[[], None]] = []


def set_interrupt_check(check: Callable[[], None]) -> None:
    """`check` raises where the run has been stopped, and returns otherwise."""
    _checks[:] = [check]


def interruptible(items: Iterable[T]) -> Iterator[T]:
    """The same items; before each one a run that has been stopped ends."""
    for item in items:
        for check in _checks:
            check()
        yield item
