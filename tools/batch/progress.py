"""The one line that tells how far a batch is."""

from __future__ import annotations

import sys
import time
from collections import deque

RECENT = 50  # pictures that the rate is of
EVERY_SECONDS = 1.0
EVERY_SECONDS_IN_A_FILE = 15.0


class ProgressLine:
    """`12 done, 1 failed of 40, 3.2 a minute, 9 min left`, renewed in place on a terminal."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.failed = total, 0, 0
        self.ends: deque[float] = deque(maxlen=RECENT)
        self.terminal = sys.stdout.isatty()
        self.shown_at = -EVERY_SECONDS_IN_A_FILE
        self.width = 0

    def ended(self, *, failed: bool) -> None:
        self.failed += failed
        self.done += not failed
        self.ends.append(time.monotonic())
        self.show()

    def show(self) -> None:
        now = time.monotonic()
        every = EVERY_SECONDS if self.terminal else EVERY_SECONDS_IN_A_FILE
        if now - self.shown_at >= every:
            self.shown_at = now
            self._print(self.text())

    def close(self) -> None:
        """Show the last state and end the line."""
        self._print(self.text())
        if self.terminal:
            print(flush=True)

    def text(self) -> str:
        state = f"{self.done} done, {self.failed} failed of {self.total}"
        left = self.total - self.done - self.failed
        if len(self.ends) < 2 or self.ends[-1] == self.ends[0]:
            return state  # the start of the workers is no part of the rate
        rate = (len(self.ends) - 1) / (self.ends[-1] - self.ends[0])  # a second
        return f"{state}, {_rate(rate)}" + (f", {_time(left / rate)} left" if left else "")

    def _print(self, text: str) -> None:
        if not self.terminal:
            print(text, flush=True)
            return
        print(f"\r{text:<{self.width}}", end="", flush=True)
        self.width = len(text)


def _rate(rate: float) -> str:
    return f"{rate:.1f} a second" if rate >= 1 else f"{60 * rate:.1f} a minute"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
