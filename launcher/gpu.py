"""The `gpu` command: everything that needs a GPU, in minutes, with results written part by part.

Each part is a process with a time limit. A part that is cut off, fails or crashes the GPU does not
affect the other parts.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collage_core.storage.atomic_write import write_whole
from launcher import checks
from launcher.failure import LauncherError, tail
from launcher.host import Host
from launcher.paths import HOST_DIR, REPO
from launcher.process import end_group, say, spawn

MINUTES = 12.0
LAST = 15.0  # seconds for what comes after the last part
PIECE = 15 * 2**20  # bytes; machines that are lent give back files of 16 MiB
FAILURES = ("failed", "out of time")
LOG_BYTES = 2 * 2**20  # of each part
SHOWN_LINES = 60

# The trainings, in a copy of demo/ that writes its states and weights there: name, arguments of
# `run.py train`, seconds at most. They go on from the weights that ship. What is left of the
# minutes goes to the one with ALL_LEFT, which is told how many seconds its steps may take.
ALL_LEFT = 0.0
TO_START = 30  # seconds of a training before its first step and after its last
TRAINING: tuple[tuple[str, str, float], ...] = (
    ("unpack", "--stage unpack", 40),
    ("scenes", "--stage scenes --scenes 12000 --workers 14", 90),
    ("latents", "--stage latents", 40),
    ("cool", "--stage cool --cool-images 1500000 --seconds {seconds}", ALL_LEFT),
    ("pack", "--stage pack", 40),
)
REHEARSED = (("scenes", "--stage scenes --scenes 0 --workers 1", 60.0),)
SLOWER = 3  # how much more time a rehearsal has: on a CPU that is busy with other things
WEIGHTS = "demo/weights"
COPIED = ("__init__.py", "collage_core", "nodes", "demo", "locales", "web", "launcher")


@dataclass(frozen=True)
class Part:
    """A module with its arguments; with `cut_off`, reaching the time limit is no failure.

    "{seconds}" in an argument becomes the seconds that a training has for its steps.

    Part("latents", "demo.train", ["--stage", "latents"], seconds=20)
    """

    name: str
    module: str
    arguments: list[str]
    seconds: float
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: Path = REPO
    cut_off: bool = False


def run_gpu(host: Host, options: argparse.Namespace) -> int:
    """Run every part and write gpu.json, gpu.md and gpu.log; LauncherError names what failed."""
    folder: Path = options.output.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    environ = _environ(host, rehearse=options.rehearse)
    work = HOST_DIR / "gpu"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    parts = list(_parts(host, work, rehearse=options.rehearse))
    results = Results(folder, work)
    slower = SLOWER if options.rehearse else 1
    deadline = time.monotonic() + slower * 60 * options.minutes - LAST
    for number, part in enumerate(parts):
        later = sum(other.seconds for other in parts[number + 1 :] if other.name == "pack")
        left = deadline - time.monotonic() - later
        most = min(slower * part.seconds or left, left)
        results.add(_run(host, part, {**environ, **part.environ}, most))
    results.keep_trained(work / "training")
    say(f"Results: {folder / 'gpu.md'}")
    failed = [f"{p['name']} ({p['outcome']})" for p in results.parts if p["outcome"] in FAILURES]
    if failed:
        raise LauncherError(f"Not done: {', '.join(failed)}. See {folder / 'gpu.log'}.")
    return 0


def _environ(host: Host, *, rehearse: bool) -> dict[str, str]:
    environ = host.environ() if host.site else checks.test_environ(host)
    for name in ("COLLAGE_CPU", "OMP_NUM_THREADS"):
        environ.pop(name, None)
    if not rehearse:
        return {**environ, "COLLAGE_GPU": "cuda"}
    on_cpu = {"COLLAGE_CPU": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return {**environ, **on_cpu, "COLLAGE_GPU": "rehearse"}


# arguments on a GPU, and in a rehearsal
ATTENTION = ("", "--tiny --size 64 --rounds 1 --layers 1 --models sd15")
INVERSION = ("--objects 4 --seeds 1", "--objects 1 --seeds 1 --methods none --quick")


def _parts(host: Host, work: Path, *, rehearse: bool) -> Iterator[Part]:
    told = {"COLLAGE_GPU_FIGURES": str(work / "figures.jsonl")}
    # no:logging, or what torch.compile traces is kept, line by line
    tests = ["tests/gpu", "-q", "-rs", "--tb=short", "--show-capture=no", "-p", "no:logging"]
    yield Part("tests", "pytest", tests, 300, told)
    attention = ["attention", "--output", str(work / "attention.json")]
    attention += ATTENTION[rehearse].split()
    yield Part("bench attention", "demo.bench", attention, 100, cut_off=True)
    inversion = ["inversion", "--output", str(work / "inversion"), "--workers", "1"]
    inversion += INVERSION[rehearse].split()
    yield Part("bench inversion", "demo.bench", inversion, 100, cut_off=True)
    yield from trainings(host, work / "training", REHEARSED if rehearse else TRAINING)


def trainings(host: Host, folder: Path, table: Iterable[tuple[str, str, float]]) -> Iterator[Part]:
    """Each in a copy of the pack, where it may write weights and states."""
    folder.mkdir()
    for name in COPIED:
        source, place = REPO / name, folder / name
        shutil.copytree(source, place) if source.is_dir() else shutil.copyfile(source, place)
    path = filter(None, [host.comfyui, folder, host.site])
    environ = {"PYTHONPATH": os.pathsep.join(map(str, path)), "XDG_CACHE_HOME": str(folder)}
    for name, arguments, seconds in table:
        cut_off = seconds == ALL_LEFT
        one = {"OMP_NUM_THREADS": "1"} if name == "scenes" else {}  # it has a process for each core
        given = {**environ, **one}
        yield Part(name, "demo.train", arguments.split(), seconds, given, folder, cut_off)


def _run(host: Host, part: Part, environ: Mapping[str, str], seconds: float) -> dict[str, Any]:
    """Run a part for at most `seconds`; its outcome, its time and its last lines."""
    log, begun = HOST_DIR / "gpu" / f"{part.name}.log", time.monotonic()
    log.touch()
    found: dict[str, Any] = {"name": part.name, "outcome": "no time left", "seconds": 0.0}
    if seconds > 1:
        say(f"{part.name}: {seconds:.0f} s at most")
        told = {"seconds": max(1, round(seconds) - TO_START)}
        command = host.module(part.module, *(one.format(**told) for one in part.arguments))
        found["outcome"] = _outcome(part, spawn(command, log, environ, part.folder), seconds)
        found["seconds"] = round(time.monotonic() - begun, 1)
    say(f"  {found['outcome']} after {found['seconds']:.0f} s")
    return {**found, "log": log, "said": tail(log, SHOWN_LINES)}


def _outcome(part: Part, process: subprocess.Popen[bytes], seconds: float) -> str:
    try:
        return "failed" if process.wait(seconds) else "done"
    except subprocess.TimeoutExpired:
        return "cut off" if part.cut_off else "out of time"
    finally:
        end_group(process)


class Results:
    """The files of a run; each part is in them as soon as it ends."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder, self.work = folder, work
        self.parts: list[dict[str, Any]] = []
        self._write()

    def add(self, part: dict[str, Any]) -> None:
        self.parts.append(part)
        self._write()

    def _write(self) -> None:
        logs = [f"== {p['name']}: {p['outcome']}\n".encode() + _end(p["log"]) for p in self.parts]
        write_whole(self.folder / "gpu.log", b"\n".join(logs), replace=True)
        shown = [{key: part[key] for key in ("name", "outcome", "seconds")} for part in self.parts]
        found = {"parts": shown, "figures": self._figures(), "attention": self._attention()}
        write_whole(self.folder / "gpu.json", json.dumps(found, indent=1), replace=True)
        write_whole(self.folder / "gpu.md", self._text(found["figures"]), replace=True)

    def _figures(self) -> list[dict[str, Any]]:
        """The figures of the tests, and every run of `bench inversion`."""
        files = [self.work / "figures.jsonl", *self.work.glob("inversion/*/runs.jsonl")]
        lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
        return [json.loads(line) for line in lines if line.endswith("}")]

    def _attention(self) -> Any:
        file = self.work / "attention.json"
        return json.loads(file.read_text()) if file.exists() else None

    def _text(self, figures: list[dict[str, Any]]) -> str:
        rows = [f"| {p['name']} | {p['outcome']} | {p['seconds']} |" for p in self.parts]
        lines = [
            "# What the GPU showed",
            "",
            "| part | outcome | seconds |",
            "|---|---|---|",
            *rows,
        ]
        told = [figure for figure in figures if "name" in figure]
        lines += ["", *(f"- {f.pop('name')}: {_brief(f)}" for f in map(dict, told))]
        for part in self.parts:
            said = [line for line in part["said"].splitlines() if line and "it/s]" not in line]
            lines += ["", f"## {part['name']}", "", "```", *said, "```"]
        return "\n".join(lines) + "\n"

    def keep_trained(self, training: Path) -> None:
        """Copy the packed weights; `cat` joins the pieces of a large file."""
        for file in sorted((training / WEIGHTS).glob("*")):
            shipped = REPO / WEIGHTS / file.name
            if shipped.exists() and filecmp.cmp(file, shipped, shallow=False):
                continue
            data = file.read_bytes()
            for first in range(0, len(data), PIECE):
                number = f".{1 + first // PIECE}" if len(data) > PIECE else ""
                piece = data[first : first + PIECE]
                write_whole(self.folder / f"{file.name}{number}", piece, replace=True)


def _brief(figures: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in figures.items()
    )


def _end(log: Path) -> bytes:
    return log.read_bytes()[-LOG_BYTES:]
