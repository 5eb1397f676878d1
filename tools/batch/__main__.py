"""`python3 run.py batch`, in ComfyUI's Python: from the table to the pictures."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collage_core.storage.atomic_write import sweep
from launcher.base_folder import fresh_base
from launcher.cli import parse
from launcher.failure import LauncherError
from launcher.host import find_host
from launcher.locking import TakenError, exclusive_now
from launcher.process import say
from launcher.server import start_server
from launcher.to_api import to_api_form
from launcher.workflow_file import FormError, is_api_form, read_workflow
from tools.batch.backlog import Backlog
from tools.batch.cluster import cluster, require_token
from tools.batch.crew import Crew
from tools.batch.files import Files
from tools.batch.grid import make_grid
from tools.batch.hands import Hand, RayWorker, Shelf, share
from tools.batch.jobs import Job, Plan, input_folders
from tools.batch.journal import NAME as JOURNAL
from tools.batch.journal import Distinct, Entry, Journal, adopt
from tools.batch.nodes import Graph, Json
from tools.batch.painter import version_of
from tools.batch.progress import ProgressLine
from tools.batch.results import write_results
from tools.batch.table import Table, read_table

LOCK = ".batch.lock"
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Batch:
    """A checked table, and what this machine's ComfyUI says of its version."""

    options: argparse.Namespace
    plan: Plan
    jobs: list[Job]
    version: str

    def run(self, journal: Journal) -> int:
        """Paint what is not done, write what became of every row, and tell what failed."""
        if self.options.dry_run:
            return self.tell(sum(journal.done(job.stem) is None for job in self.jobs))
        for job in self.jobs:
            adopt(journal, job)
        todo = Distinct(journal, [job for job in self.jobs if journal.done(job.stem) is None])
        self.tell(len(todo.first))
        try:
            if todo.first:
                self._paint(journal, todo)
        finally:
            base = journal.folder / f"{self.options.jobs.stem}_results"
            for path in write_results(base, self.plan.table, self.jobs, journal):
                say(f"  {path}")
        if self.options.sheet:
            write_sheet(self.options.sheet, self.plan.table, self.jobs, journal)
        return tell_failures(self.jobs, journal)

    def tell(self, waiting: int) -> int:
        """Say what there is to do, and that nothing was started where that is so."""
        rows, jobs = len(self.plan.table.rows), {job.key for job in self.jobs}
        groups = len({job.group for job in self.jobs})
        parts = [f"{rows} {_rows(rows)}: {len(jobs)} to paint"]
        if done := len(jobs) - waiting:
            parts[0] += f", {done} of them done already"
        if same := rows - len(jobs):
            parts.append(f"{same} {_rows(same)} the same as others")
        if groups > 1:
            parts.append(f"{groups} groups of models and learned looks")
        say("; ".join(parts) + ".")
        if self.options.dry_run:
            say("Every row can be painted. Nothing was started.")
        return 0

    def _paint(self, journal: Journal, todo: Distinct) -> None:
        line = ProgressLine(len(todo.first))

        def ended(entry: Entry) -> None:
            todo.ended(entry)
            line.ended(failed=bool(entry.error))

        crew = Crew(
            self.plan, journal, timeout=self.options.timeout, ended=ended, version=self.version
        )
        try:
            with cluster(self.options.address, dashboard=self.options.dashboard) as ray:
                self._work(ray, crew, list(todo.first.values()))
        finally:
            line.close()

    def _work(self, ray: Any, crew: Crew, jobs: list[Job]) -> None:
        signal.signal(signal.SIGTERM, _like_ctrl_c)  # Ray has put a handler of its own there
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        workers, each = share(nodes, self.options.workers, self.options.cores)
        workers = min(workers, len(jobs))
        shelf, actor = Shelf(ray), ray.remote(Hand)
        say(f"Starting {workers} {'worker' if workers == 1 else 'workers'} ({_each(each)} each).")

        def hire(number: int) -> RayWorker:
            return RayWorker(ray, shelf, actor.options(**each).remote(number + 1))

        asyncio.run(crew.paint(Backlog(jobs), workers, hire))


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def batch(options: argparse.Namespace) -> int:
    """Paint a table; 0 when every row is painted, 1 when some failed."""
    if options.address:
        require_token()
    if options.grid:
        make_grid(options.jobs, options.grid)
    table = read_table(options.jobs)
    plan, version = make_plan(options, table)
    one = Batch(options, plan, plan.jobs(), version)
    folder: Path = options.output.absolute()
    if options.dry_run and not (folder / JOURNAL).exists():
        return one.tell(len(one.jobs))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive_now(folder / LOCK):
            sweep(folder)
            journal = Journal(folder)
            try:
                return one.run(journal)
            finally:
                journal.close()
    except TakenError as error:
        raise LauncherError(
            f"Another run.py batch works in {folder}; wait for it, or give another --output."
        ) from error


def make_plan(options: argparse.Namespace, table: Table) -> tuple[Plan, str]:
    """The table for the workflow, by what this machine's ComfyUI says of its nodes and itself."""
    workflow = read_workflow(options.workflow)
    info, version = describe(options.comfyui)
    try:
        prompt = workflow if is_api_form(workflow) else to_api_form(workflow, info)
    except FormError as error:
        raise LauncherError(f"The workflow {options.workflow} cannot be run: {error}") from error
    graph = Graph(prompt, info, titles_of(workflow))
    folders = input_folders(options.workflow, options.input or ())
    return Plan(graph, table, Files(options.jobs.absolute().parent, folders)), version


def describe(comfyui: str | None) -> tuple[Json, str]:
    """What ComfyUI says of its nodes and its version, from a server that is stopped again."""
    host = find_host(comfyui or os.environ.get("COMFYUI_PATH"))
    with fresh_base() as base, start_server(host, base, name="batch-check") as server:
        return server.client.object_info(), version_of(server.client)


def titles_of(workflow: Json) -> dict[str, str]:
    if is_api_form(workflow):
        named = {node: entry.get("_meta", {}).get("title") for node, entry in workflow.items()}
    else:
        named = {str(node["id"]): node.get("title") for node in workflow["nodes"]}
    return {node: title for node, title in named.items() if isinstance(title, str) and title}


def _each(share: dict[str, float]) -> str:
    gpus, cores = share.get("num_gpus"), share.get("num_cpus", 0)
    return f"{gpus:g} GPU" if gpus else f"{cores:g} core{'s' if cores != 1 else ''}"


def _like_ctrl_c(_number: int, _frame: object) -> None:
    """SIGINT is the signal that asyncio knows how to end for."""
    os.kill(os.getpid(), signal.SIGINT)


def write_sheet(target: Path, table: Table, jobs: Sequence[Job], journal: Journal) -> None:
    """Lay out the last picture of every row, which is the one most nodes had a part in."""
    from tools.batch.sheet import write_sheets

    stems = {row: job.stem for job in jobs for row in job.rows}
    pictures: list[Path | None] = []
    for row in range(1, len(table.rows) + 1):
        entry = journal.done(stems[row])
        names = [name for name in entry.files if name.endswith(PICTURES)] if entry else []
        pictures.append(journal.folder / names[-1] if names else None)
    for path in write_sheets(target.absolute(), table, pictures):
        say(f"  {path}")


def tell_failures(jobs: Sequence[Job], journal: Journal) -> int:
    """Say which rows failed, a sentence each; the status of the command."""
    failed = [
        (job, entry) for job in jobs if (entry := journal.entries.get(job.stem)) and entry.error
    ]
    for job, entry in failed[:20]:
        say(f"Row {', '.join(map(str, job.rows))} failed: {entry.error}")
    if failed[20:]:
        say(f"{len(failed) - 20} more failed; the table of results has their sentences.")
    return 1 if failed else 0


def main(arguments: Sequence[str]) -> int:
    options, _ = parse(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it behind its &
    signal.signal(signal.SIGTERM, _like_ctrl_c)
    try:
        return batch(options)
    except LauncherError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped. The same command goes on with the rows that are left.", file=sys.stderr)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        print(f"The system refused: {error.strerror or error}{place}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
