"""Notes what this process writes, connects to, unpickles and starts, from `start` on.

Python announces all of it itself, before it is done (sys.addaudithook); code that is not Python's
own can go around that, so the tests look at folders as well.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

Notes = dict[str, list[str]]

WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
# how many of an event's arguments, from the first, are paths that it changes
CHANGES = {
    "os.chmod": 1, "os.chown": 1, "os.link": 2, "os.mkdir": 1, "os.remove": 1, "os.rename": 2,
    "os.rmdir": 1, "os.symlink": 2, "os.truncate": 1, "shutil.copyfile": 2, "shutil.copytree": 2,
    "shutil.move": 2, "shutil.rmtree": 1, "sqlite3.connect": 1,
}  # fmt: skip
NETWORK = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.")
PROGRAMS = ("subprocess.", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "pty.")


def start() -> Notes:
    """Begin; the notes fill up as things happen. It cannot be ended."""
    notes: Notes = {"writes": [], "network": [], "pickles": [], "programs": []}

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and arguments[2] & WRITING:
            notes["writes"] += _paths(arguments[:1])
        elif event in CHANGES:
            notes["writes"] += _paths(arguments[: CHANGES[event]])
        elif event.startswith(NETWORK) and not _own_pipe(event, arguments):
            notes["network"].append(f"{event} {arguments}")
        elif event == "pickle.find_class":
            notes["pickles"].append(f"{arguments[0]}.{arguments[1]}")
        elif event.startswith(PROGRAMS):
            notes["programs"].append(f"{event} {arguments[:1]}")

    sys.addaudithook(note)
    return notes


def _paths(arguments: tuple[Any, ...]) -> list[str]:
    """Absolute; a file that is already open, as a number, was noted before."""
    named = [path for path in arguments if isinstance(path, (str, bytes, os.PathLike))]
    return [os.path.realpath(os.fsdecode(path)) for path in named]


def _own_pipe(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether it is one end of the pipe by which an event loop of this process wakes itself."""
    unix = getattr(socket, "AF_UNIX", None)
    return event == "socket.__new__" and unix is not None and arguments[1] == unix
