"""`run.py batch` itself, watched from outside: rows, processor seconds and memory of its parts."""

from __future__ import annotations

import contextlib
import csv
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from launcher.base_folder import fresh_base
from launcher.host import Host
from launcher.paths import REPO
from launcher.server import start_server
from tools.batch.journal import NAME

LOOK_SECONDS = 0.2
INPUT = REPO / "workflows" / "input"
Json = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """rows: finished so far; comfyui, others: processor seconds so far; driver: bytes of memory."""

    at: float
    rows: int
    comfyui: float
    others: float
    driver: int
    servers: int


@dataclass(frozen=True)
class Measured:
    """Between the first and the last row: a picture's seconds, and processor seconds by part."""

    rows: int
    seconds: float
    comfyui: float
    others: float
    driver: tuple[int, int]  # bytes of memory after a tenth of the rows, and at the end
    servers: tuple[int, int]


def trivial() -> Json:
    """One layer on a small canvas, saved: no model."""
    layer = {"image": ["load", 0], "mask": ["load", 1], "text": "sushi", "x": 0.5, "y": 0.5}
    strengths = {"opacity": 1.0, "noise": 0.6, "attract": 0.3, "repel": 0.5, "control": 1.0}
    layer |= {"scale": 0.5, "rotation": 0.0, "visible": True, **strengths}
    canvas = {"prompt": "sushi", "width": 64, "height": 64, "background": "#969696"}
    return {
        "load": _node("LoadImage", image="collage_bento_sushi.png"),
        "sushi": _node("CollageLayer", **layer),
        "stack": _node("CollageStack", **canvas, **{"layers.layer0": ["sushi", 0]}),
        "save": _node("SaveImage", images=["stack", 1], filename_prefix="trivial"),
    }


def empty() -> Json:
    """One colour, saved: what costs ComfyUI least."""
    colour = _node("EmptyImage", width=64, height=64, batch_size=1, color=0)
    return {"colour": colour, "save": _node("SaveImage", images=["colour", 0], filename_prefix="x")}


def _node(kind: str, **inputs: Any) -> Json:
    return {"class_type": kind, "inputs": inputs}


def example(steps: int) -> Json:
    """The bento box with so many steps."""
    prompt = json.loads((REPO / "workflows" / "api" / "bento_box.json").read_text("utf-8"))
    for node in prompt.values():
        if "steps" in node["inputs"]:
            node["inputs"]["steps"] = steps
    return prompt


def bare(host: Host, prompt: Json, column: str, values: Sequence[float]) -> Measured:
    """The same pictures on one server, one queued after the other by this process."""
    node, _, name = column.partition(".")
    ends: list[float] = []
    busy: list[float] = []
    with fresh_base() as base, start_server(host, base, name="bench-batch") as server:
        process = psutil.Process(server.process.pid)
        for value in values:
            prompt[node]["inputs"][name] = value
            job = server.client.queue(prompt)
            server.client.wait(job, while_waiting=server.check_alive, pause=lambda: 0.01)
            ends.append(time.perf_counter())
            busy.append(sum(process.cpu_times()[:2]))
        memory = process.memory_info().rss
    between = len(values) - 1
    each = (ends[-1] - ends[0]) / between
    return Measured(len(values), each, (busy[-1] - busy[0]) / between, 0.0, (0, 0), (memory,) * 2)


def batch(folder: Path, prompt: Json, column: str, values: Sequence[float], *more: str) -> Measured:
    """Run the command with a table of one column."""
    folder.mkdir(parents=True, exist_ok=True)
    workflow, table, output = folder / "workflow.json", folder / "jobs.csv", folder / "out"
    workflow.write_text(json.dumps(prompt), "utf-8")
    with open(table, "w", newline="") as file:
        csv.writer(file).writerows([[column], *([value] for value in values)])
    command = [sys.executable, str(REPO / "run.py"), "batch", str(table)]
    command += ["--workflow", str(workflow), "--output", str(output), "--input", str(INPUT), *more]
    with open(folder / "log.txt", "ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            moments = _watch(psutil.Process(process.pid), output / NAME, len(values))
            status = process.wait()
        finally:
            process.terminate()
        if status:
            raise SystemExit(f"The batch failed; {folder / 'log.txt'} says why.")
    return _measured(moments)


def _watch(process: psutil.Process, journal: Path, rows: int) -> list[Moment]:
    moments: list[Moment] = []
    seen: dict[int, tuple[bool, float]] = {}
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        done = journal.read_bytes().count(b"\n") if journal.exists() else 0
        if done:
            moments.append(_moment(process, done, seen))
        if done >= rows:
            break
        time.sleep(LOOK_SECONDS)
    return moments


def _moment(process: psutil.Process, rows: int, seen: dict[int, tuple[bool, float]]) -> Moment:
    """`seen` keeps what processes have used that end before the last row is noticed."""
    driver = servers = 0
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            busy, line = sum(child.cpu_times()[:2]), " ".join(child.cmdline())
            memory = child.memory_info().rss
            if line:  # else it has ended
                seen[child.pid] = "main.py" in line, busy
                servers += memory if "main.py" in line else 0
                driver += memory if "-m tools.batch" in line else 0
    comfyui, others = (
        sum(busy for is_server, busy in seen.values() if is_server is wanted)
        for wanted in (True, False)
    )
    return Moment(time.perf_counter(), rows, comfyui, others, driver, servers)


def _measured(moments: list[Moment]) -> Measured:
    """Of the rows between the first look that saw one and the last."""
    first, last = moments[0], moments[-1]
    early = next(one for one in moments if one.rows >= first.rows + (last.rows - first.rows) / 10)
    count = max(1, last.rows - first.rows)
    return Measured(
        last.rows,
        (last.at - first.at) / count,
        (last.comfyui - first.comfyui) / count,
        (last.others - first.others) / count,
        (early.driver, last.driver),
        (early.servers, max(one.servers for one in moments[-3:])),  # it may have ended
    )


def line(about: str, measured: Measured) -> str:
    """One line of figures."""
    share = 100 * measured.others / measured.comfyui if measured.comfyui else 0.0
    driver = " to ".join(f"{one / 1e6:.0f}" for one in measured.driver)
    servers = " to ".join(f"{one / 1e6:.0f}" for one in measured.servers)
    return (
        f"{about}: {1 / measured.seconds:.2f} pictures a second; processor seconds a picture: "
        f"ComfyUI {measured.comfyui:.3f}, all else {measured.others:.4f} ({share:.1f} %); "
        f"MB after a tenth and at the end: driver {driver}, ComfyUI {servers}"
    )
