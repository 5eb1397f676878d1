"""One ComfyUI that paints one job after the other; it knows nothing of Ray."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psutil

from collage_core.storage.atomic_write import write_whole
from launcher.base_folder import fresh_base, prepare_base
from launcher.client import Client, HostError
from launcher.demo import require_all_saved
from launcher.failure import LauncherError
from launcher.host import find_host
from launcher.paths import HOST_DIR, REPO, make_host_dir
from launcher.server import Server, start_server
from tools.batch.nodes import Graph, Json
from tools.batch.remains import claim, sweep

FULL = ("no space left", "disk quota exceeded", "not enough space")
NO_MEMORY = ("out of memory", "allocation on device", "not enough memory", "cannot allocate memory")
MOST_FILES = 256  # of earlier jobs that stay in the input folder
SHORTEST_POLL, LONGEST_POLL, POLL_SHARE = 0.005, 0.25, 0.02
ACTIVE_GB = (2.0, 10.0)  # what ComfyUI leaves free of results within a job: a tenth of the memory
ALL_GB = 10**6  # to be left free of results of earlier jobs: more than any machine has
COUNTER = re.compile(r"_\d+_$")  # ComfyUI's number behind the prefix of a file
ROOMS = ("collage_core", "nodes")
REPORTS = "batch report "
Picture = tuple[str, str, bytes]  # what it is, suffix, bytes


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    again: whether another try could end otherwise; replace: the worker is of no more use.
    """

    pictures: tuple[Picture, ...] = field(default=(), repr=False)
    seconds: float = 0.0
    worker: str = ""
    warnings: tuple[str, ...] = ()
    error: str = ""
    again: bool = False
    replace: bool = False
    full: bool = False


class Painter:
    """A ComfyUI with folders of its own, from `start` to `stop`."""

    def __init__(self, comfyui: str | None, name: str) -> None:
        self.comfyui, self.name = comfyui, name
        self.used: dict[str, None] = {}  # files in the input folder, oldest first
        self._ends = contextlib.ExitStack()

    def start(self) -> str:
        """Start the server and return what it runs; LauncherError says why it cannot be."""
        host = find_host(self.comfyui)
        sweep((make_host_dir() / "run").glob("*"))
        self.base = self._ends.enter_context(fresh_base())
        claim(self.base)
        models = prepare_base(HOST_DIR / "base") / "models"  # as `serve` has them, and their locks
        arguments = ["--models-directory", str(models)] if host.private else []
        arguments += _cache()
        self.server: Server = self._ends.enter_context(
            start_server(host, self.base, name="batch", arguments=arguments)
        )
        self.info = self.server.client.object_info()
        return version_of(self.server.client)

    def stop(self) -> None:
        self._ends.close()

    def paint(self, prompt: Json, missing: Mapping[str, Callable[[], bytes]]) -> Outcome:
        """Paint a job; `missing` gives the bytes of the files that it names."""
        started = time.monotonic()
        os.utime(self.base)  # else another run.py would take it for one that was left over
        try:
            self._place(missing)
            pictures, warnings = self._run(prompt)
        except (LauncherError, OSError) as error:
            return self._failed(error, time.monotonic() - started)
        seconds = time.monotonic() - started
        return Outcome(pictures, seconds, self.name, warnings)

    def _place(self, files: Mapping[str, Callable[[], bytes]]) -> None:
        folder = self.base / "input"
        for name, read in files.items():
            if name not in self.used:
                (folder / name).parent.mkdir(exist_ok=True)
                write_whole(folder / name, read(), replace=True)
            self.used.pop(name, None)
            self.used[name] = None
        for name in [*self.used][: max(0, len(self.used) - max(MOST_FILES, len(files)))]:
            del self.used[name]
            (folder / name).unlink(missing_ok=True)

    def _run(self, prompt: Json) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
        client, graph = self.server.client, Graph(prompt, self.info)
        job = client.queue(with_reports(graph))
        outputs = client.wait(job, math.inf, self.server.check_alive, _pause())
        require_all_saved(prompt, outputs)
        saved = self._saved(graph, outputs)
        _forget(client, job)
        return saved, _warnings(outputs)

    def _saved(self, graph: Graph, outputs: Json) -> tuple[Picture, ...]:
        """Every saved file; the one that most nodes had a part in comes last.

        The order is the workflow's alone: ComfyUI lists nodes that had nothing new to do first.
        """
        folder = self.base / "output"
        pictures, kept = [], set()
        for node in sorted(outputs, key=lambda node: (_depth(graph, node), len(node), node)):
            for one in _files_of(outputs[node]):
                path = folder / one.get("subfolder", "") / one["filename"]
                about = re.sub(r"\W+", "_", COUNTER.sub("", path.stem)).strip("_")
                pictures.append((about or "picture", path.suffix, path.read_bytes()))
                kept.add(path)
        if not pictures:
            raise HostError("The workflow ran but saved no picture; it needs a SaveImage node.")
        for path in folder.rglob("*"):
            # A node that has nothing new to do names the file that it saved for the last job
            # (`_cache`), never one of an earlier job.
            if path.is_file() and path not in kept:
                path.unlink()
        return tuple(pictures)

    def _failed(self, error: Exception, seconds: float) -> Outcome:
        said = str(error)
        lost = self._lost(said)
        if lost and (status := self.server.process.poll()) is not None:
            killed = ", perhaps killed for want of memory" if status in (-9, 137) else ""
            said = f"ComfyUI ended by itself with status {status}{killed}. Log: {self.server.log}"
        words = said.lower()
        return Outcome(
            seconds=seconds,
            worker=self.name,
            error=said,
            again="refused the" not in words,
            replace=lost or any(sign in words for sign in NO_MEMORY),
            full=any(sign in words for sign in FULL),
        )

    def _lost(self, said: str) -> bool:
        """Whether the server has ended or answers no more."""
        if "does not answer" in said:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.process.wait(2)
            return True
        return self.server.process.poll() is not None


def _cache() -> list[str]:
    """Arguments by which ComfyUI forgets at once what a job does not use of earlier results.

    With more than 128 GB free it would keep them all, and with them the names of deleted files. The
    first number is the one that it chooses itself.
    """
    least, most = ACTIVE_GB
    active = min(max(psutil.virtual_memory().total / 2**30 / 10, least), most)
    return ["--cache-ram", f"{active:.1f}", str(ALL_GB)]


def _depth(graph: Graph, node: str) -> int:
    return len(graph.closure(node)) if node in graph.prompt else 0


def version_of(client: Client) -> str:
    """ComfyUI's version, torch's, and a hash of this pack: what paints the same pictures."""
    system = client.get("/system_stats")["system"]
    digest = hashlib.sha256()
    for file in sorted(file for room in ROOMS for file in (REPO / room).rglob("*.py")):
        digest.update(file.read_bytes())
    torch = system.get("pytorch_version", "").partition("+")[0]
    return f"ComfyUI {system['comfyui_version']}, torch {torch}, pack {digest.hexdigest()[:12]}"


def with_reports(graph: Graph) -> Json:
    """The workflow with every report shown, so that its warnings can be read.

    Reports of nodes that ComfyUI may leave out are not: showing them would run these nodes.
    """
    shown = {}
    for node in sorted(graph.surely_run()):
        names = graph.info[graph.kind(node)].get("output_name", [])
        for slot, name in enumerate(names):
            if name == "report" and "PreviewAny" in graph.info:
                source = {"source": [node, slot]}
                shown[f"{REPORTS}{node}"] = {"class_type": "PreviewAny", "inputs": source}
    return graph.prompt | shown


def _warnings(outputs: Json) -> tuple[str, ...]:
    """The lines of all reports that are for the user, each once."""
    texts = [
        text
        for node, output in outputs.items()
        if node.startswith(REPORTS)
        for text in output.get("text", [])
    ]
    lines = [line.strip() for text in texts for line in str(text).splitlines()]
    notes = [line.removeprefix("!").strip() for line in lines if line.startswith("!")]
    return tuple(dict.fromkeys(notes))


def _files_of(output: Json) -> list[Json]:
    """Pictures and other files that one node has saved."""
    return [
        one
        for listed in output.values()
        if isinstance(listed, list)
        for one in listed
        if isinstance(one, dict) and one.get("type") == "output" and one.get("filename")
    ]


def _forget(client: Client, job: str) -> None:
    """Take a finished job out of the history, which would grow with every picture."""
    client.request("/history", json.dumps({"delete": [job]}).encode())


def _pause() -> Callable[[], float]:
    """Seconds until the next look: a fiftieth of the time so far."""
    started = time.monotonic()
    return lambda: min(max((time.monotonic() - started) * POLL_SHARE, SHORTEST_POLL), LONGEST_POLL)
