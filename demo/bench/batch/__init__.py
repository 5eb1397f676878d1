"""What `run.py batch` costs beside the painting, and what it survives, on this machine.

Parts, all of them unless some are named: `pictures` a second of one bare server and of one and two
workers; `rows` without a model through the whole path; `kills` of drivers and workers at random
moments; `sleepers`, actors that sleep in place of painting, until the driver is the limit.
Processor seconds count more than seconds where other programs keep the machine busy.

Modules
    measured  the command itself, watched from outside
    kills     a table that goes on although processes are killed
    sleepers  the whole path with actors that sleep
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from launcher.arguments import at_least
from launcher.batch import batch_environ
from launcher.host import Host, find_host

PARTS = ("pictures", "rows", "kills", "sleepers")
CROWDS = (10, 30, 100, 300, 1000)  # workers that sleep
SLEEP_SECONDS, SHARED = 2.0, 100


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="run.py bench batch", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--pictures", type=at_least(3), default=10, help="of each measurement")
    parser.add_argument("--steps", type=at_least(1), default=4, help="of each picture")
    parser.add_argument("--rows", type=at_least(10), default=10_000)
    parser.add_argument("--kills", type=at_least(1), default=100)
    parser.add_argument("--crowds", type=at_least(1), nargs="+", default=CROWDS)
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(unknown)}")
    host = find_host(os.environ["COMFYUI_PATH"])
    load = psutil.getloadavg()[0]
    print(f"{os.cpu_count()} cores with a load of {load:.1f} before it begins")
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts or PARTS:
            _PARTS[part](host, Path(folder) / part, options)
    print(f"load at the end: {psutil.getloadavg()[0]:.1f}")


def _pictures(host: Host, folder: Path, options: argparse.Namespace) -> None:
    from demo.bench.batch import measured

    seeds = range(1, options.pictures + 1)
    prompt = measured.example(options.steps)
    one = measured.bare(host, prompt, "17.seed", seeds)
    print(measured.line("one bare server", one), flush=True)
    for workers in (1, 2):
        where = folder / str(workers)
        made = measured.batch(where, prompt, "17.seed", seeds, "--workers", str(workers))
        print(measured.line(f"batch with {workers}", made), flush=True)


def _rows(_host: Host, folder: Path, options: argparse.Namespace) -> None:
    from demo.bench.batch import measured

    colours = range(options.rows)
    made = measured.batch(folder, measured.empty(), "colour.color", colours, "--workers", "1")
    print(measured.line(f"{made.rows} rows of one colour", made), flush=True)


def _kills(host: Host, folder: Path, options: argparse.Namespace) -> None:
    from demo.bench.batch.kills import survive

    print(survive(host, folder, batch_environ(host, dashboard=False), options.kills), flush=True)


def _sleepers(host: Host, folder: Path, options: argparse.Namespace) -> None:
    for workers in options.crowds:
        command = [*host.module("demo.bench.batch.sleepers", str(folder / str(workers)))]
        command += ["--rows", str(8 * workers), "--workers", str(workers)]
        command += ["--seconds", str(SLEEP_SECONDS), "--shared", str(SHARED)]
        env = batch_environ(host, dashboard=False)
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        said = json.loads(done.stdout.splitlines()[-1])
        ideal = workers / SLEEP_SECONDS
        print(
            f"{workers} workers that sleep {SLEEP_SECONDS:g} s: {said['rate']:.1f} rows a second, "
            f"{100 * said['rate'] / ideal:.0f} % of {ideal:g}; driver: "
            f"{said['driver_ms_a_row']:.2f} ms of a processor a row, busy "
            f"{100 * said['driver_busy']:.0f} % of the time, {said['driver_mb']:.0f} MB",
            flush=True,
        )


_PARTS = {"pictures": _pictures, "rows": _rows, "kills": _kills, "sleepers": _sleepers}
