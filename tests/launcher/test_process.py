"""Commands that run, fail, hang, and the lock between two of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from launcher import process
from launcher.failure import LauncherError
from launcher.locking import exclusive

WAITS = "import time; time.sleep(60)"
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""
PARENT = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", {WAITS!r}]).pid, flush=True)
{WAITS}
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(path: Path, text: str) -> str:
    for _ in range(200):
        if path.is_file() and text in path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path} never held {text!r}")


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    process.run_logged([sys.executable, "-c", "print('hello')"], "greeting", log)
    assert log.read_text() == "hello\n"


def test_a_failed_command_is_explained_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    script = "import sys; print('No space left on device'); sys.exit(7)"
    with pytest.raises(LauncherError, match=r"^unpacking failed: the disk is full.*a\.log$"):
        process.run_logged([sys.executable, "-c", script], "unpacking", log)


def test_an_earlier_failure_in_the_log_is_not_blamed(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("No space left on device\n")
    with pytest.raises(LauncherError, match="see the log"):
        process.run_logged([sys.executable, "-c", "raise SystemExit(1)"], "trying", log)


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match=r"no-such-program cannot be started"):
        process.run_logged([tmp_path / "no-such-program"], "trying", tmp_path / "a.log")


def test_an_interrupt_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[subprocess.Popen[bytes]] = []

    def interrupt(_progress: process.Progress, _detail: str = "") -> None:
        raise KeyboardInterrupt

    def remember(*arguments: Any) -> subprocess.Popen[bytes]:
        spawned.append(spawn(*arguments))
        return spawned[0]

    spawn = process.spawn
    monkeypatch.setattr(process.Progress, "tick", interrupt)
    monkeypatch.setattr(process, "spawn", remember)
    with pytest.raises(KeyboardInterrupt):
        process.run_logged([sys.executable, "-c", WAITS], "waiting", tmp_path / "a.log")
    assert spawned[0].poll() is not None


def test_a_deaf_command_is_ended_by_force(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    child = process.spawn([sys.executable, "-c", DEAF], log)
    wait_for(log, "up")
    process.end_group(child, grace=0.2)
    assert child.poll() is not None


def test_grandchildren_end_with_their_parent(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    child = process.spawn([sys.executable, "-c", PARENT], log)
    grandchild = int(wait_for(log, "\n"))
    process.end_group(child)
    for _ in range(100):
        if not is_running(grandchild) or _is_zombie(grandchild):
            return
        time.sleep(0.05)
    raise AssertionError("the grandchild is still running")


def _is_zombie(pid: int) -> bool:
    """A killed orphan may stay in the table until its new parent looks."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.is_file() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_progress_is_silent_at_first_and_then_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = process.Progress("installing", every=0.05)
    progress.tick("a")
    assert capsys.readouterr().out == ""
    time.sleep(0.06)
    progress.tick("b")
    progress.tick("c")
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 1
    assert told[0].endswith("installing: b")


def test_the_lock_makes_a_second_process_wait(tmp_path: Path) -> None:
    lock, log = tmp_path / "lock", tmp_path / "a.log"
    script = (
        "import sys; from pathlib import Path; from launcher.locking import exclusive\n"
        "with exclusive(Path(sys.argv[1]), 'building'): print('inside', flush=True)"
    )
    with exclusive(lock, "building"):
        child = process.spawn([sys.executable, "-c", script, lock], log)
        assert "inside" not in wait_for(log, "Another run.py is building; waiting")
    assert child.wait(10) == 0
    assert "inside" in log.read_text()
