"""A lock that holds between processes and threads, and ends with its holder."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from collage_core.storage.file_lock import exclusive

REPO = Path(__file__).absolute().parents[2]
HOLD = f"""
import pathlib, sys, time
sys.path.insert(0, {str(REPO)!r})
from collage_core.storage.file_lock import exclusive
with exclusive(pathlib.Path(sys.argv[1]), lambda _: None):
    print("held", flush=True)
    time.sleep(60)
"""


class StopWaiting(BaseException):
    """As the host's interrupt, no Exception."""


def stop(holder: int | None) -> None:
    raise StopWaiting(holder)


def test_a_killed_process_does_not_block_the_next(tmp_path: Path, killed_after: Any):
    lock = tmp_path / "a.lock"
    with killed_after(["held"], "-c", HOLD, lock) as holder:
        with pytest.raises(StopWaiting) as stopped, exclusive(lock, stop):
            pass
        assert stopped.value.args == (holder.pid,)
    assert lock.exists()
    with exclusive(lock, stop):
        pass
    assert not lock.exists()


def test_threads_take_turns_and_leave_nothing(tmp_path: Path):
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(5):
            with exclusive(tmp_path / "a.lock", lambda _: None):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.002)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 15
    assert max(most) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_lets_go(tmp_path: Path):
    with pytest.raises(KeyError), exclusive(tmp_path / "a.lock", stop):
        raise KeyError
    with exclusive(tmp_path / "a.lock", stop):
        pass


def test_a_folder_that_is_not_there_is_an_error_and_no_wait(tmp_path: Path):
    with pytest.raises(FileNotFoundError), exclusive(tmp_path / "gone" / "a.lock", stop):
        pass
