"""Long loops ask here whether the user has stopped the run.

The core does not know the host, so the nodes set the check once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_checks: list[Callable[[], None]] = []


def set_interrupt_check(check: Callable[[], None]) -> None:
    """`check` raises an error if the run has been stopped, and returns otherwise."""
    _checks[:] = [check]


def interruptible(items: Iterable[T]) -> Iterator[T]:
    """The same items; before each of them the check may end a stopped run."""
    for item in items:
        for check in _checks:
            check()
        yield item
