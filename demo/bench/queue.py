"""Many prompts without a model through the HTTP interface of a real ComfyUI.

Each prompt stacks four layers of 512 x 512 pixels, shrunk and rotated; every layer of every prompt
has another place, so that nothing is cached. With --apart CollageLayers outputs the layers as well.
Memory is the server's resident memory while its queue is empty: after the first prompts, which fill
caches, and after all prompts.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from PIL import Image

from launcher.arguments import at_least
from launcher.base_folder import fresh_base
from launcher.client import Client
from launcher.host import find_host
from launcher.server import Server, start_server

PROMPTS, FIRST, SIZE = 500, 100, 512
NAMES = ("bear", "drum", "hat", "kite")
POLL_SECONDS = 0.05

Json = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """growth: bytes of memory, open files and threads gained after the first prompts.

    busy: processor seconds of one prompt; queueing: seconds that each request took; entry: bytes of
    the largest entry of the history.
    """

    prompts: int
    failures: list[str]
    seconds: float
    busy: float
    queueing: list[float]
    growth: tuple[int, int, int]
    entry: int


def upload_pictures(client: Client, size: int) -> None:
    """One picture a layer: a colour that fades out from the middle."""
    fading = Image.radial_gradient("L").resize((size, size)).point(lambda value: 255 - value)
    with tempfile.TemporaryDirectory() as folder:
        for name, colour in zip(NAMES, ("brown", "red", "black", "blue"), strict=True):
            picture = Image.new("RGB", (size, size), colour)
            picture.putalpha(fading)
            picture.save(Path(folder) / f"{name}.png")
            client.upload_image(Path(folder) / f"{name}.png", f"bench_{name}.png")


def workflow(number: int, size: int, *, apart: bool) -> Json:
    """The prompt with this number; prompts differ only in the places of their layers."""
    prompt: Json = {}
    for index, name in enumerate(NAMES):
        prompt[f"load {name}"] = _node("LoadImage", image=f"bench_{name}.png")
        prompt[name] = _node(
            "CollageLayer",
            image=[f"load {name}", 0],
            mask=[f"load {name}", 1],
            text=name,
            x=0.2 + 0.2 * index + number / 10_000,
            y=0.5,
            scale=0.5 + 0.1 * index,
            rotation=7.0 * number % 360,
            opacity=1.0,
            noise=0.6,
            attract=0.3,
            repel=0.5,
            control=1.0,
            visible=True,
        )
    prompt["stack"] = _node(
        "CollageStack",
        prompt="a bear with a drum, a hat and a kite",
        width=size,
        height=size,
        background="#969696",
        **{f"layers.layer{index}": [name, 0] for index, name in enumerate(NAMES)},
    )
    report: list[Any] = ["stack", 4]
    if apart:
        ground = {"background": "#969696", "base_noise": 0.8, "feather": 10.0}
        prompt["layers"] = _node("CollageLayers", collage=["stack", 0], **ground)
        report = ["layers", 5]
    prompt["show"] = _node("PreviewAny", source=report)
    return prompt


def _node(kind: str, **inputs: Any) -> Json:
    return {"class_type": kind, "inputs": inputs}


def measure(
    server: Server, prompts: int, first: int, size: int = SIZE, *, apart: bool = False
) -> Measured:
    """Queue `first` prompts and, when these are done, all the others."""
    process = psutil.Process(server.process.pid)
    upload_pictures(server.client, size)
    jobs: list[str] = []
    queueing: list[float] = []
    began, busy = time.perf_counter(), _busy(process)
    at_rest = []
    for numbers in (range(first), range(first, prompts)):
        for number in numbers:
            asked = time.perf_counter()
            jobs.append(server.client.queue(workflow(number, size, apart=apart)))
            queueing.append(time.perf_counter() - asked)
        _wait(server)
        at_rest.append(_held(process))
    seconds, busy = time.perf_counter() - began, _busy(process) - busy
    entries = [server.client.get(f"/history/{job}")[job] for job in jobs]
    return Measured(
        prompts=prompts,
        failures=[str(e["status"]) for e in entries if e["status"]["status_str"] != "success"],
        seconds=seconds,
        busy=busy / prompts,
        queueing=queueing,
        growth=tuple(after - before for before, after in zip(*at_rest, strict=True)),
        entry=max(len(str(entry)) for entry in entries),
    )


def _wait(server: Server) -> None:
    """Until the queue is empty and nothing runs."""
    while server.client.get("/prompt")["exec_info"]["queue_remaining"]:
        server.check_alive()
        time.sleep(POLL_SECONDS)


def _busy(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


def _held(process: psutil.Process) -> tuple[int, int, int]:
    """Bytes of memory, open files and threads of a process."""
    files = process.num_handles() if os.name == "nt" else process.num_fds()
    return process.memory_info().rss, files, process.num_threads()


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="run.py bench queue", description=__doc__)
    parser.add_argument("--prompts", type=at_least(2), default=PROMPTS)
    parser.add_argument("--first", type=at_least(1), default=FIRST, help="growth counts after")
    parser.add_argument("--apart", action="store_true", help="take the stack apart again")
    options = parser.parse_args(arguments)
    host = find_host(os.environ["COMFYUI_PATH"])
    with fresh_base() as base, start_server(host, base, name="bench-queue") as server:
        busy = psutil.getloadavg()[0]
        measured = measure(server, options.prompts, options.first, apart=options.apart)
        system = server.client.get("/system_stats")["system"]
    print(
        f"ComfyUI {system['comfyui_version']}, torch {torch.__version__}, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores with a load of {busy:.1f}, "
        f"{torch.get_num_threads()} threads"
    )
    print(describe(measured, options.first))


def describe(measured: Measured, first: int) -> str:
    """The measurements, one a line."""
    memory, files, threads = (format(gained, "+,") for gained in measured.growth)
    centiles = [1e3 * seconds for seconds in statistics.quantiles(measured.queueing, n=100)]
    rate = measured.prompts / measured.seconds
    lines = [
        f"prompts: {measured.prompts}, failed: {len(measured.failures)}",
        f"prompts a second: {rate:.1f}, processor seconds a prompt: {measured.busy:.3f}",
        f"queueing one: median {centiles[49]:.1f} ms, 99 of 100 within {centiles[98]:.1f} ms",
        f"after the first {first}: bytes of memory {memory}, files {files}, threads {threads}",
        f"largest entry of the history: {measured.entry:,} bytes",
        *measured.failures[:3],
    ]
    return "\n".join(lines)
