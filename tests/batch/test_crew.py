"""Workers that are lost, hang, fail and fill the disk; every row ends exactly once."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from launcher.failure import LauncherError
from tools.batch import crew as crew_module
from tools.batch.backlog import Backlog
from tools.batch.crew import Crew, LostError
from tools.batch.files import Files
from tools.batch.hands import share
from tools.batch.jobs import Job, Plan
from tools.batch.journal import Entry, Journal
from tools.batch.nodes import Graph
from tools.batch.painter import Outcome
from tools.batch.table import Table

INFO = {"Paint": {"input": {"required": {"seed": ["INT", {"min": 0, "max": 10**6}]}}}}
PROMPT = {"1": {"class_type": "Paint", "inputs": {"seed": 0}}}
GOOD = Outcome((("picture", ".png", b"pixels"),), 0.1, "w")
Paint = Callable[[int], Any]


class Scripted:
    """A worker that does with every seed what a function says; it counts what it painted."""

    hired = 0

    def __init__(self, paint: Paint, painted: Counter[int]) -> None:
        type(self).hired += 1
        self.do, self.painted, self.dead = paint, painted, False

    version = ""

    async def start(self) -> str:
        await asyncio.sleep(0)
        return self.version

    async def paint(self, prompt: dict[str, Any], files: dict[str, Path]) -> Outcome:
        assert not self.dead
        assert files == {}
        seed = prompt["1"]["inputs"]["seed"]
        self.painted[seed] += 1
        await asyncio.sleep(0)
        answer = self.do(seed)
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return GOOD
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def stop(self) -> None:
        self.dead = True

    def kill(self) -> None:
        self.dead = True


class Run:
    """A table of so many seeds in a folder, and what became of them."""

    def __init__(self, folder: Path, rows: int) -> None:
        table = Table(("1.seed",), [(seed,) for seed in range(rows)])
        self.plan = Plan(Graph(PROMPT, INFO), table, Files(folder, []))
        self.jobs = self.plan.jobs()
        self.folder, self.painted = folder, Counter[int]()
        self.ended: list[Entry] = []

    def go(self, paint: Paint, workers: int = 3, timeout: float = 5) -> None:
        journal = Journal(self.folder)
        todo = [job for job in self.jobs if journal.done(job.stem) is None]
        crew = Crew(self.plan, journal, timeout=timeout, ended=self.ended.append)
        try:
            asyncio.run(crew.paint(Backlog(todo), workers, lambda _: Scripted(paint, self.painted)))
        finally:
            journal.close()

    def stems(self, *, failed: bool) -> list[str]:
        return sorted(entry.stem for entry in self.ended if bool(entry.error) == failed)


@pytest.fixture
def run(tmp_path: Path) -> Callable[[int], Run]:
    return lambda rows: Run(tmp_path, rows)


def test_every_row_is_painted_once(run: Callable[[int], Run], tmp_path: Path) -> None:
    one = run(20)
    one.go(lambda _: GOOD)
    assert one.painted == dict.fromkeys(range(20), 1)
    assert one.stems(failed=False) == sorted(job.stem for job in one.jobs)
    assert sorted(file.name for file in tmp_path.glob("*.png")) == [
        f"{stem}.png" for stem in one.stems(failed=False)
    ]
    one.go(lambda _: GOOD)
    assert one.painted.total() == 20  # nothing is left for a second run


@pytest.mark.parametrize(
    "fault",
    [LostError("The worker was lost."), 60.0, Outcome(error="It fell.", again=True, replace=True)],
    ids=["lost", "hanging", "server ended"],
)
def test_a_row_of_a_worker_that_goes_is_tried_by_another(
    run: Callable[[int], Run], fault: Any
) -> None:
    one, Scripted.hired = run(6), 0
    faults = [fault]
    one.go(lambda seed: faults.pop() if seed == 3 and faults else GOOD, timeout=0.2)
    assert one.painted == {**dict.fromkeys(range(6), 1), 3: 2}
    assert len(one.stems(failed=False)) == 6
    assert Scripted.hired == 4


def test_a_row_that_fails_twice_is_reported_and_the_rest_goes_on(
    run: Callable[[int], Run],
) -> None:
    one = run(6)
    one.go(lambda seed: Outcome(error="No.", again=True) if seed == 3 else GOOD)
    assert one.painted[3] == 2
    assert [entry.error for entry in one.ended if entry.error] == ["No."]
    assert len(one.stems(failed=False)) == 5
    one.go(lambda _: GOOD)  # the next run tries it again
    assert one.painted[3] == 3
    assert len(one.stems(failed=False)) == 6


def test_a_row_that_comfyui_refuses_is_not_tried_again(run: Callable[[int], Run]) -> None:
    one = run(3)
    one.go(lambda seed: Outcome(error="Refused.") if seed == 1 else GOOD)
    assert one.painted == dict.fromkeys(range(3), 1)


def test_a_full_disk_ends_it_with_a_sentence_and_what_is_whole_stays(
    run: Callable[[int], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(
        folder: Path, stem: str, pictures: Any, write: Any = crew_module.write_pictures
    ) -> Any:
        if len([*folder.glob("*.png")]) >= 4:
            raise OSError(28, "No space left on device", str(folder))
        return write(folder, stem, pictures)

    one = run(10)
    with monkeypatch.context() as patched:
        patched.setattr(crew_module, "write_pictures", full)
        with pytest.raises(LauncherError, match="The disk is full: No space left on device"):
            one.go(lambda _: GOOD, workers=1)
    assert len([*tmp_path.glob("*.png")]) == 4
    one.go(lambda _: GOOD)
    assert sorted(set(one.stems(failed=False))) == sorted(job.stem for job in one.jobs)
    assert len(one.ended) == 10


def test_a_name_that_the_system_cannot_have_fails_its_row_alone(
    run: Callable[[int], Run],
) -> None:
    one = run(3)
    one.jobs[0] = replace(one.jobs[0], stem="红" * 86)  # 258 bytes
    one.go(lambda _: GOOD, workers=1)
    assert one.painted == dict.fromkeys(range(3), 1)
    (said,) = [entry.error for entry in one.ended if entry.error]
    assert said.startswith("The picture cannot be written: File name too long")
    assert len(one.stems(failed=False)) == 2


def test_a_document_that_is_saved_while_a_batch_runs_fails_its_row_alone(
    run: Callable[[int], Run], tmp_path: Path
) -> None:
    """Its picture would be another than the name says; a picture that it names may be missing."""
    for name in "abc":
        (tmp_path / f"{name}.json").write_text(json.dumps({"layers": [], "prompt": name}))
    editor = {"class_type": "CollageEditor", "inputs": {"document": ""}}
    info = {"CollageEditor": {"input": {"required": {"document": ["STRING", {}]}}}}
    table = Table(("1.seed", "2.document"), [(at, f"{'abc'[at]}.json") for at in range(3)])
    one = run(1)
    one.plan = Plan(Graph(PROMPT | {"2": editor}, INFO | info), table, Files(tmp_path, []))
    one.jobs = one.plan.jobs()

    def paint(_: int) -> Outcome:
        (tmp_path / "b.json").write_text('{"layers": [], "background_picture": "gone.png"}')
        return GOOD

    one.go(paint, workers=1)
    assert one.painted == {0: 1, 2: 1}
    assert [entry.error.partition(tmp_path.name)[2] for entry in one.ended if entry.error] == [
        "/b.json was changed after the batch began; run the command again."
    ]


def test_workers_that_never_start_end_it(
    run: Callable[[int], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(_: Scripted) -> None:
        raise LostError("No torch.")

    monkeypatch.setattr(Scripted, "start", start)
    with pytest.raises(LauncherError, match=r"No worker starts: No torch\."):
        run(3).go(lambda _: GOOD)


def test_a_worker_with_another_version_paints_nothing(
    run: Callable[[int], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scripted, "version", "ComfyUI 0.0.1")
    one = run(3)
    with pytest.raises(LauncherError, match=r"a worker has ComfyUI 0\.0\.1 and this machine"):
        one.go(lambda _: GOOD)
    assert not one.painted


def test_a_worker_without_room_in_the_cluster_is_not_waited_for(
    run: Callable[[int], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [0]

    async def start(worker: Scripted) -> str:
        await asyncio.sleep(rooms.pop() if rooms else 600)

        return worker.version

    monkeypatch.setattr(Scripted, "start", start)
    monkeypatch.setattr(crew_module, "WAIT_SECONDS", 0.05)
    one = run(5)
    one.go(lambda _: GOOD)
    assert len(one.stems(failed=False)) == 5


@pytest.mark.skipif(os.name == "nt", reason="processes are forked")
def test_kills_at_any_moment_lose_and_double_no_row(tmp_path: Path) -> None:
    """The driver in a process of its own, killed again and again while it writes."""
    dice, kills = random.Random(5), 0
    one = Run(tmp_path, 80)
    while len([*Journal(tmp_path).entries]) < len(one.jobs):
        child = os.fork()
        if child == 0:
            one.go(lambda _: dice.random() / 40)
            os._exit(0)
        asyncio.run(asyncio.sleep(dice.uniform(0.05, 0.3)))
        os.kill(child, 9)
        os.waitpid(child, 0)
        kills += 1
    journal = Journal(tmp_path)
    assert kills > 1
    assert sorted(journal.entries) == sorted(job.stem for job in one.jobs)
    assert all(journal.done(job.stem) for job in one.jobs)
    assert len([*tmp_path.glob("*.png")]) == len(one.jobs)


def jobs_of(*groups: str) -> list[Job]:
    return [Job(f"k{at}", f"k{at}", group, (at,)) for at, group in enumerate(groups)]


def test_a_worker_stays_with_what_it_has_loaded() -> None:
    backlog = Backlog(jobs_of(*"aaabbbccc"))
    taken = [(worker, backlog.take(worker).group) for _ in range(3) for worker in (0, 1, 2)]  # type: ignore[union-attr]
    assert {worker: {group for w, group in taken if w == worker} for worker in range(3)} == {
        0: {"a"},
        1: {"b"},
        2: {"c"},
    }
    assert not backlog
    assert backlog.take(0) is None


def test_the_last_group_is_painted_by_all() -> None:
    backlog = Backlog(jobs_of(*"abbbbbb"))
    assert [backlog.take(worker).group for worker in (0, 1)] == ["b", "b"]  # type: ignore[union-attr]
    assert [backlog.take(worker).group for worker in (2, 0, 1)] == ["b", "b", "b"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("nodes", "workers", "cores", "expected"),
    [
        ([{"CPU": 16.0}], None, None, (4, {"num_cpus": 4})),
        ([{"CPU": 2.0}], None, None, (1, {"num_cpus": 2})),
        ([{"CPU": 2.0}], 2, None, (2, {"num_cpus": 1})),
        ([{"CPU": 2.0}], 8, None, (8, {"num_cpus": 0.25})),
        ([{"CPU": 1.0}, {"CPU": 1.0}], None, None, (2, {"num_cpus": 1})),
        ([{"CPU": 8.0}, {"CPU": 4.0}], None, 3, (3, {"num_cpus": 3})),
        ([{"CPU": 8.0, "GPU": 2.0}, {"CPU": 4.0}], None, None, (2, {"num_gpus": 1, "num_cpus": 0})),
        ([{"GPU": 2.0}], 4, None, (4, {"num_gpus": 0.5, "num_cpus": 0})),
    ],
)
def test_every_worker_gets_a_share_that_a_machine_has(
    nodes: Any, workers: int | None, cores: int | None, expected: Any
) -> None:
    assert share(nodes, workers, cores) == expected


def test_more_cores_than_any_machine_has_are_told() -> None:
    with pytest.raises(LauncherError, match="No machine has 9 cores; the largest has 8"):
        share([{"CPU": 8.0}, {"CPU": 4.0}], None, 9)
