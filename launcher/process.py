"""Run commands with their output in a log, progress lines, and no processes left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from launcher.failure import LauncherError, meaning_of, tail

PROGRESS_SECONDS = 5.0
GRACE_SECONDS = 10.0


def say(text: str) -> None:
    """Print a line for the user at once, also into a pipe."""
    print(text, flush=True)


class Progress:
    """Prints a line of progress now and then, and nothing for work of a few seconds."""

    def __init__(self, doing: str, every: float = PROGRESS_SECONDS) -> None:
        self.doing = doing
        self.every = every
        self.started = self.last = time.monotonic()

    def tick(self, detail: str = "") -> None:
        now = time.monotonic()
        if now - self.last < max(self.every, (now - self.started) / 6):  # rarer as time goes by
            return
        self.last = now
        say(f"  {now - self.started:4.0f} s  {self.doing}{': ' + detail if detail else ''}")


def spawn(
    command: Sequence[str | Path],
    log: Path,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, its output appended to `log`."""
    with open(log, "ab") as sink:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=folder,
            start_new_session=True,
            preexec_fn=ends_with_parent(),  # noqa: PLW1509  one system call, no locks taken
        )


def ends_with_parent() -> Callable[[], None] | None:
    """What ends a child when run.py is killed, for `preexec_fn`; None where no system call does."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here, so that the forked child only calls it
    parent_death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
    return lambda: prctl(parent_death_signal, signal.SIGTERM)


def end_group(process: subprocess.Popen[bytes], grace: float = GRACE_SECONDS) -> None:
    """End a spawned command and its children, by force after `grace` seconds."""
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    if process.poll() is None:
        _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.terminate()


def run_logged(
    command: Sequence[str | Path], doing: str, log: Path, *, env: Mapping[str, str] | None = None
) -> None:
    """Run a command to its end; raise LauncherError with the meaning of its output if it fails."""
    progress = Progress(doing)
    written_before = log.stat().st_size if log.exists() else 0
    try:
        process = spawn(command, log, env)
    except OSError as error:
        raise LauncherError(f"{command[0]} cannot be started ({error.strerror}).", log) from error
    try:
        while process.poll() is None:
            time.sleep(0.1)
            progress.tick(tail(log, 1, skip=written_before).strip()[:80])
    finally:
        end_group(process)
    if process.returncode != 0:
        raise LauncherError(
            f"{doing} failed: {meaning_of(tail(log, 60, skip=written_before))}.", log
        )
