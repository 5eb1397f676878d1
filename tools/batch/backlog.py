"""Which job a worker gets next, so that what it has loaded stays loaded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from tools.batch.jobs import Job


class Backlog:
    """Jobs that wait, by what a worker has to keep loaded for them.

    A worker stays with its group. A free one takes the group with the most jobs for each worker
    that is at it, so that groups are shared out and the last one is painted by all.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.groups: dict[str, deque[Job]] = {}
        self.at: dict[int, str] = {}
        for job in jobs:
            self.groups.setdefault(job.group, deque()).append(job)

    def __len__(self) -> int:
        return sum(map(len, self.groups.values()))

    def __bool__(self) -> bool:
        return bool(self.groups)

    def take(self, worker: int) -> Job | None:
        """The next job of a worker, None when none waits."""
        group = self.at.get(worker, "")
        if group not in self.groups:
            group = self._neediest()
        if not group:
            self.at.pop(worker, None)
            return None
        self.at[worker] = group
        job = self.groups[group].popleft()
        if not self.groups[group]:
            del self.groups[group]
        return job

    def again(self, job: Job) -> None:
        """Let a job wait once more, behind the others of its group."""
        self.groups.setdefault(job.group, deque()).append(job)

    def _neediest(self) -> str:
        workers = [*self.at.values()]
        return max(
            self.groups,
            key=lambda group: len(self.groups[group]) / (1 + workers.count(group)),
            default="",
        )
