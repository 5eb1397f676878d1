"""The one exception that users of run.py see, and the meaning of a failed command's log."""

from __future__ import annotations

from pathlib import Path

# (words of pip, uv or the system, what they mean and what to do), first match counts
_MEANINGS = (
    (
        ("no space left on device", "disk quota exceeded", "not enough space on the disk"),
        "the disk is full; free some space and run the command again",
    ),
    (
        ("do not match the hashes", "hash mismatch"),
        (
            "a downloaded file is not the one that was expected, so nothing of it was used; "
            "run the command again, and check the package index if this comes back"
        ),
    ),
    (
        ("permission denied", "read-only file system"),
        "a folder cannot be written; see the log for its name",
    ),
    (
        (
            "failed to fetch",
            "error sending request",
            "name resolution",
            "could not find a version that satisfies",
            "connection refused",
            "connection broken",
            "timed out",
            "dns error",
            "newconnectionerror",
            "offline",
        ),
        (
            "the package index could not be reached or lacks a package; "
            "check the network (or its proxy) and run the command again"
        ),
    ),
    (
        ("no solution found", "has no wheels with a matching", "no compatible version"),
        "there is no ready-made package for this machine and Python; try Python 3.11, 3.12 or 3.13",
    ),
)


class LauncherError(Exception):
    """A failure in one sentence; `log` is the file with its details, if there is one."""

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        ended = sentence if sentence.endswith((".", "\n")) else f"{sentence}."
        super().__init__(f"{ended} The log is {log}" if log else sentence)


def meaning_of(output: str) -> str:
    """The meaning of the output of a failed pip or uv, and the remedy."""
    lowered = output.lower()
    for words, meaning in _MEANINGS:
        if any(word in lowered for word in words):
            return meaning
    return "see the log for the reason"


def tail(log: Path, lines: int = 12, *, skip: int = 0) -> str:
    """Return the last lines of a log after its first `skip` bytes; "" when there is none."""
    try:
        text = log.read_bytes()[skip:].decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
