"""The whole path of `run.py batch` with actors that sleep in place of painting.

`python -m demo.bench.batch.sleepers DIR --rows N --workers N --seconds S --bytes N --shared N`
prints one line of JSON. Table, crew, journal, files and Ray are those of `run.py batch`; `shared`
workers are one process, as a machine has no memory for a thousand.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from launcher.locking import exclusive_now
from tools.batch.backlog import Backlog
from tools.batch.cluster import cluster
from tools.batch.crew import Crew
from tools.batch.files import Files
from tools.batch.hands import RayWorker, Shelf
from tools.batch.jobs import Job, Plan
from tools.batch.journal import Entry, Journal
from tools.batch.nodes import Graph, Json
from tools.batch.painter import Outcome
from tools.batch.table import Table

INFO: Json = {"Sleep": {"input": {"required": {"seed": ["INT", {}]}}}}
PROMPT: Json = {"1": {"class_type": "Sleep", "inputs": {"seed": 0}}}


class Sleeper:
    """An actor that gives back random bytes after so many seconds, for many callers at once."""

    def __init__(self, seconds: float, size: int) -> None:
        self.seconds, self.pixels = seconds, random.randbytes(size)

    async def start(self) -> str:
        return ""

    async def paint(self, prompt: Json, files: Json) -> Outcome:
        assert not files
        assert prompt
        await asyncio.sleep(self.seconds)
        return Outcome((("picture", ".png", self.pixels),), self.seconds, f"sleeper {os.getpid()}")

    async def stop(self) -> None:
        pass


class Guest(RayWorker):
    """A worker that shares its process with others and leaves it to them."""

    async def stop(self) -> None:
        pass

    def kill(self) -> None:
        pass


def plan_of(rows: int, folder: Path) -> Plan:
    table = Table(("1.seed",), [(seed,) for seed in range(rows)])
    return Plan(Graph(PROMPT, INFO), table, Files(folder, []))


def left(plan: Plan, journal: Journal) -> list[Job]:
    return [job for job in plan.jobs() if journal.done(job.stem) is None]


def sleep(options: argparse.Namespace) -> Json:
    """Run a table to its end.

    The rate is of the rows that ended after the first one, without the first of every worker.
    """
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    ends: list[float] = []

    def ended(_: Entry) -> None:
        ends.append(time.perf_counter())

    with exclusive_now(folder / ".lock"), cluster(None) as ray:
        journal = Journal(folder)
        plan = plan_of(options.rows, folder)
        shelf, actor = Shelf(ray), ray.remote(Sleeper)
        limits = {"num_cpus": 0, "max_concurrency": max(2, options.shared)}
        made: dict[int, Any] = {}

        def hire(number: int) -> RayWorker:
            if options.shared == 1:
                one = actor.options(**limits).remote(options.seconds, options.bytes)
                return RayWorker(ray, shelf, one)
            home = number // options.shared
            if home not in made:
                made[home] = actor.options(**limits).remote(options.seconds, options.bytes)
            return Guest(ray, shelf, made[home])

        crew = Crew(plan, journal, timeout=60.0, ended=ended)
        own = psutil.Process()
        busy, began = sum(own.cpu_times()[:2]), time.perf_counter()
        asyncio.run(crew.paint(Backlog(left(plan, journal)), options.workers, hire))
        busy, took = sum(own.cpu_times()[:2]) - busy, time.perf_counter() - began
        journal.close()
    return {
        "workers": options.workers,
        "rows": len(ends),
        "rate": (len(ends) - options.workers) / (ends[-1] - ends[0]) if len(ends) > 1 else 0.0,
        "driver_busy": busy / took,
        "driver_ms_a_row": 1000 * busy / max(1, len(ends)),
        "driver_mb": own.memory_info().rss / 1e6,
    }


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--bytes", type=int, default=100_000)
    parser.add_argument("--shared", type=int, default=1)
    print(json.dumps(sleep(parser.parse_args(arguments))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
