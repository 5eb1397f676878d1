"""A table that goes on although its driver and its workers are killed at random moments.

Only what has painted since the last kill is killed, so that every kill falls into work.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil

from demo.bench.batch.sleepers import plan_of
from launcher.host import Host
from tools.batch.journal import NAME, Journal

ROWS_A_KILL, WORKERS, SECONDS = 20, 3, 0.3
DRIVERS_SHARE = 0.1  # of the kills; a new driver starts a new Ray


def survive(host: Host, folder: Path, env: dict[str, str], kills: int) -> str:
    """Kill so many times, let the rest be done, and say what became of the rows."""
    dice, rows = random.Random(1), ROWS_A_KILL * kills
    command = [*host.module("demo.bench.batch.sleepers", str(folder)), "--rows", str(rows)]
    command += ["--workers", str(WORKERS), "--seconds", str(SECONDS), "--bytes", "20000"]
    hit: Counter[str] = Counter()
    log = open(folder.parent / "kills.log", "ab")  # noqa: SIM115  of every driver
    driver, seen = _started(command, env, log), 0
    while hit.total() < kills and (done := _lines(folder)) < rows:
        if driver.poll() is not None:  # Ray did not start on a busy machine
            driver = _started(command, env, log)
        if done == seen:
            time.sleep(0.1)
            continue
        time.sleep(dice.uniform(0, 1))
        victim = driver if dice.random() < DRIVERS_SHARE else _worker(driver, dice)
        if victim is None:
            continue
        hit["driver" if victim is driver else "worker"] += 1
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
        seen = _lines(folder)
        if victim is driver:
            driver.wait()
            driver = _started(command, env, log)
    status = driver.wait()
    return f"{_told(hit)}; the last driver ended with {status}; {_state(folder, rows)}"


def _lines(folder: Path) -> int:
    journal = folder / NAME
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def _started(command: list[str], env: dict[str, str], log: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=env, stdout=log, stderr=log)  # type: ignore[call-overload]


def _worker(driver: subprocess.Popen[bytes], dice: random.Random) -> psutil.Process | None:
    """One of the driver's actors, None while it has none."""
    with contextlib.suppress(psutil.Error):
        found = [
            child
            for child in psutil.Process(driver.pid).children(recursive=True)
            if child.name().startswith("ray::Sleeper")
            or "ray::Sleeper" in " ".join(child.cmdline())
        ]
        return dice.choice(found) if found else None
    return None


def _told(hit: Counter[str]) -> str:
    return f"{hit.total()} kills ({hit['driver']} of the driver, {hit['worker']} of workers)"


def _state(folder: Path, rows: int) -> str:
    stems = [job.stem for job in plan_of(rows, folder).jobs()]
    journal = Journal(folder)
    there = sum(journal.done(stem) is not None for stem in stems)
    pictures = len([*folder.glob("*.png")])
    return (
        f"{there} of {rows} rows done, {pictures} pictures, {_lines(folder)} lines in the journal"
    )
