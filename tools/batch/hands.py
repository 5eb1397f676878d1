"""Workers as actors of Ray: a painter in another process, maybe on another machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from launcher.failure import LauncherError
from tools.batch.cells import CellError
from tools.batch.crew import LostError
from tools.batch.files import unchanged
from tools.batch.nodes import Json
from tools.batch.painter import Outcome, Painter

STOP_SECONDS = 30.0
USUAL_CORES = 4  # of a worker without a GPU
KEPT_FILES = 64  # in the object store, for workers that do not have them yet


class Hand:
    """The actor: it finds ComfyUI on its own machine, and fetches files that it lacks."""

    def __init__(self, number: int) -> None:
        name = f"{socket.gethostname()}-{number}"
        self.painter = Painter(os.environ.get("COMFYUI_PATH"), name)

    def start(self) -> str:
        return self.painter.start()

    def paint(self, prompt: Json, files: dict[str, Any]) -> Outcome:
        import ray

        fetch: Any = {name: partial(ray.get, kept[0]) for name, kept in files.items()}
        return self.painter.paint(prompt, fetch)

    def stop(self) -> None:
        self.painter.stop()


class Shelf:
    """Files in Ray's object store, each put there once and as it was when it was checked."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        self.kept: OrderedDict[str, Any] = OrderedDict()

    def of(self, name: str, path: Path) -> Any:
        if name not in self.kept:
            self.kept[name] = self.ray.put(unchanged(name, path))
        self.kept.move_to_end(name)
        if len(self.kept) > KEPT_FILES:
            self.kept.popitem(last=False)
        return self.kept[name]


class RayWorker:
    """A `Worker` of the crew that is an actor of this class, with a share of the cluster."""

    def __init__(self, ray: Any, shelf: Shelf, actor: Any) -> None:
        self.ray, self.shelf, self.actor = ray, shelf, actor

    async def start(self) -> str:
        return await self._answer(self.actor.start.remote())

    async def paint(self, prompt: Json, files: dict[str, Path]) -> Outcome:
        # In a list, as Ray would send the bytes themselves for a bare reference.
        try:
            kept = {name: [self.shelf.of(name, path)] for name, path in files.items()}
        except CellError as error:
            return Outcome(error=f"{error}.")
        return await self._answer(self.actor.paint.remote(prompt, kept))

    async def stop(self) -> None:
        with contextlib.suppress(LostError, asyncio.TimeoutError):
            await asyncio.wait_for(self._answer(self.actor.stop.remote()), STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        with contextlib.suppress(self.ray.exceptions.RayError):
            self.ray.kill(self.actor)

    async def _answer(self, asked: Any) -> Any:
        try:
            return await asked
        except self.ray.exceptions.RayTaskError as error:
            raise LostError(str(getattr(error, "cause", None) or error)) from error
        except self.ray.exceptions.RayError as error:
            raise LostError(f"The worker was lost ({type(error).__name__}).") from error


def share(
    nodes: Sequence[dict[str, float]], workers: int | None, cores: int | None
) -> tuple[int, dict[str, float]]:
    """How many workers, and what each gets of its machine: a GPU, or so many cores.

    nodes: what each machine has.

        share([{"CPU": 16.0}, {"CPU": 16.0}], None, 4)  # (8, {"num_cpus": 4})
    """
    gpus = sum(node.get("GPU", 0) for node in nodes)
    if gpus:
        count = workers or int(gpus)
        return count, {"num_gpus": min(1.0, gpus / count), "num_cpus": 0}
    sizes = [max(1, int(node.get("CPU", 0))) for node in nodes] or [1]
    if cores and cores > max(sizes):
        raise LauncherError(f"No machine has {cores} cores; the largest has {max(sizes)}.")
    each = cores or min(sizes if workers else [*sizes, USUAL_CORES])
    while workers and not cores and each > 1 and _room(sizes, each) < workers:
        each -= 1
    room = _room(sizes, each)
    count = workers or room
    # Ray counts cores and does not fence them: more workers than cores share these.
    return count, {"num_cpus": each if count <= room else min(sizes) / -(-count // len(sizes))}


def _room(sizes: Sequence[int], each: int) -> int:
    return sum(size // each for size in sizes)
