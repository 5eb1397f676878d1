"""Workers at their jobs: who gets which, what is tried again, and who is replaced.

It knows workers only by what they do (`Worker`), so that it needs no Ray.
"""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from launcher.failure import LauncherError
from tools.batch.backlog import Backlog
from tools.batch.cells import CellError
from tools.batch.jobs import Job, Plan
from tools.batch.journal import Entry, Journal, write_pictures
from tools.batch.nodes import Json
from tools.batch.painter import FULL, Outcome

TRIES = 2
FAILED_STARTS = 3  # one after the other, and the batch ends
WAIT_SECONDS = 1.0
NO_NAME = (errno.ENAMETOOLONG, errno.EILSEQ)  # of a system that cannot have such a file name


class LostError(Exception):
    """A worker is gone; the text is a sentence for the row that it was at."""


class Worker(Protocol):
    """Something that paints. Methods raise LostError once it is gone."""

    async def start(self) -> str: ...
    async def paint(self, prompt: Json, files: dict[str, Path]) -> Outcome: ...
    async def stop(self) -> None: ...
    def kill(self) -> None: ...


class Crew:
    """Paints a backlog with so many workers; `ended` hears of every job that is done or failed.

    version: what every worker has to say of itself, so that all of them paint the same.
    """

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        *,
        timeout: float,
        ended: Callable[[Entry], object],
        version: str = "",
    ) -> None:
        self.plan, self.journal, self.version = plan, journal, version
        self.timeout, self.ended = timeout, ended
        self.tries: Counter[str] = Counter()
        self.failed_starts = 0

    async def paint(self, backlog: Backlog, workers: int, hire: Callable[[int], Worker]) -> None:
        """Paint everything with workers that `hire` makes.

        Raises LauncherError when no worker starts or the disk is full.
        """
        count = min(workers, len(backlog))
        tasks = [
            asyncio.ensure_future(self._work(number, backlog, hire)) for number in range(count)
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, number: int, backlog: Backlog, hire: Callable[[int], Worker]) -> None:
        worker: Worker | None = None
        try:
            while backlog:
                worker = worker or await self._started(hire(number), backlog)
                if worker is None or (job := backlog.take(number)) is None:
                    continue
                outcome = await self._tried(worker, job)
                if outcome.replace:
                    worker.kill()
                    worker = None
                if not await self._kept(job, outcome):
                    backlog.again(job)
            if worker is not None:
                await worker.stop()
                worker = None
        finally:
            if worker is not None:
                worker.kill()

    async def _started(self, worker: Worker, backlog: Backlog) -> Worker | None:
        """The worker, once it is up; None where it did not start. LauncherError where none does."""
        starting = asyncio.ensure_future(worker.start())
        try:
            while backlog and not starting.done():  # a cluster may have no room for it
                await asyncio.wait({starting}, timeout=WAIT_SECONDS)
            if starting.done():
                self._require_same(await starting)
                self.failed_starts = 0
                return worker
        except LostError as error:
            self.failed_starts += 1
            if self.failed_starts >= FAILED_STARTS:
                worker.kill()
                raise LauncherError(f"No worker starts: {error}") from error
        except BaseException:
            starting.cancel()
            worker.kill()
            raise
        starting.cancel()
        worker.kill()
        return None

    def _require_same(self, version: str) -> None:
        if version != self.version:
            raise LostError(
                f"a worker has {version} and this machine {self.version}, which would paint other "
                "pictures; bring the machines of the cluster to the same."
            )

    async def _tried(self, worker: Worker, job: Job) -> Outcome:
        try:
            prompt = self.plan.prompt_of(job.rows[0])
            painting = worker.paint(prompt, self.plan.files_of(prompt))
            return await asyncio.wait_for(painting, self.timeout)
        except asyncio.TimeoutError:
            said = f"It was not done after {self.timeout:.0f} s, so that the worker was replaced."
            return Outcome(seconds=self.timeout, error=said, again=True, replace=True)
        except LostError as error:
            return Outcome(error=str(error), again=True, replace=True)
        except CellError as error:  # of a file that was changed after the row was checked
            return Outcome(error=f"{error}.")

    async def _kept(self, job: Job, outcome: Outcome) -> bool:
        """Write what was painted and say so; False where the job is to be tried again."""
        files: tuple[str, ...] = ()
        if outcome.full:
            raise LauncherError(f"The disk of a worker is full: {outcome.error}")
        self.tries[job.stem] += 1
        if outcome.error and outcome.again and self.tries[job.stem] < TRIES:
            return False
        if not outcome.error:
            try:
                files = await asyncio.to_thread(
                    write_pictures, self.journal.folder, job.stem, outcome.pictures
                )
            except OSError as error:
                if error.errno not in NO_NAME:
                    raise LauncherError(_unwritten(error)) from error
                outcome = replace(outcome, error=_unwritten(error))
        told = (round(outcome.seconds, 3), outcome.worker, outcome.warnings, outcome.error)
        entry = Entry(job.key, job.stem, files, *told)
        try:
            self.journal.add(entry)
        except OSError as error:
            raise LauncherError(_unwritten(error)) from error
        self.ended(entry)
        return True


def _unwritten(error: OSError) -> str:
    said = f"{error.strerror or error} ({error.filename})" if error.filename else str(error)
    if any(words in said.lower() for words in FULL):
        return f"The disk is full: {said}. Free some space and run the same command again."
    if error.errno in NO_NAME:
        return f"The picture cannot be written: {said}. Give the row a shorter or plainer name."
    return f"A picture cannot be written: {said}. Run the same command again when it can."
