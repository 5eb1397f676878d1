"""`python3 run.py batch`, in ComfyUI's Python: from the table to the pictures."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from collage_core.storage.atomic_write import sweep, write_whole
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
from tools.batch.cluster import cluster
from tools.batch.crew import Crew
from tools.batch.files import Files
from tools.batch.grid import make_grid
from tools.batch.hands import Hand, RayWorker, Shelf, share
from tools.batch.jobs import Job, Plan, input_folders
from tools.batch.journal import Entry, Journal, renamed
from tools.batch.nodes import Graph, Json
from tools.batch.progress import ProgressLine
from tools.batch.results import write_results
from tools.batch.table import Table, read_table

LOCK = ".batch.lock"
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


def batch(options: argparse.Namespace) -> int:
    """Paint a table; 0 when every row is painted, 1 when some failed."""
    if options.grid:
        make_grid(options.jobs, options.grid)
    table = read_table(options.jobs)
    plan = make_plan(options, table)
    jobs = plan.jobs()
    folder: Path = options.output.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive_now(folder / LOCK):
            return _batch(options, plan, jobs, folder)
    except TakenError as error:
        raise LauncherError(
            f"Another run.py batch works in {folder}; wait for it, or give another --output."
        ) from error


def make_plan(options: argparse.Namespace, table: Table) -> Plan:
    """The table for the workflow, by what this machine's ComfyUI says of its nodes."""
    workflow = read_workflow(options.workflow)
    info = describe(options.comfyui)
    try:
        prompt = workflow if is_api_form(workflow) else to_api_form(workflow, info)
    except FormError as error:
        raise LauncherError(f"The workflow {options.workflow} cannot be run: {error}") from error
    graph = Graph(prompt, info, titles_of(workflow))
    folders = input_folders(options.workflow, options.input or ())
    return Plan(graph, table, Files(options.jobs.absolute().parent, folders))


def describe(comfyui: str | None) -> Json:
    """What ComfyUI says of its nodes, from a server that is stopped again."""
    host = find_host(comfyui or os.environ.get("COMFYUI_PATH"))
    with fresh_base() as base, start_server(host, base, name="batch-check") as server:
        return server.client.object_info()


def titles_of(workflow: Json) -> dict[str, str]:
    if is_api_form(workflow):
        named = {node: entry.get("_meta", {}).get("title") for node, entry in workflow.items()}
    else:
        named = {str(node["id"]): node.get("title") for node in workflow["nodes"]}
    return {node: title for node, title in named.items() if isinstance(title, str) and title}


def _batch(options: argparse.Namespace, plan: Plan, jobs: list[Job], folder: Path) -> int:
    sweep(folder)
    journal = Journal(folder)
    try:
        for job in jobs:
            adopt(journal, job)
        todo = [job for job in jobs if journal.done(job.stem) is None]
        say(summary(plan.table, jobs, todo))
        if options.dry_run:
            say("Every row can be painted. Nothing was started.")
            return 0
        return _paint(options, plan, jobs, Distinct(journal, todo))
    finally:
        journal.close()


def adopt(journal: Journal, job: Job) -> None:
    """Copy pictures that are there already under another name of the same content."""
    known = None if journal.done(job.stem) else journal.same(job.key)
    if known is None:
        return
    names = renamed(known, job.stem)
    for old, new in names.items():
        write_whole(journal.folder / new, (journal.folder / old).read_bytes(), replace=True)
    journal.add(
        Entry(job.key, job.stem, (*names.values(),), known.seconds, known.worker, known.warnings)
    )


class Distinct:
    """Jobs to paint: one of each content, and the others that get a copy of its pictures."""

    def __init__(self, journal: Journal, jobs: Sequence[Job]) -> None:
        self.journal = journal
        self.first: dict[str, Job] = {}
        self.others: dict[str, list[Job]] = {}
        for job in jobs:
            if self.first.setdefault(job.key, job) is not job:
                self.others.setdefault(job.key, []).append(job)

    def ended(self, entry: Entry) -> None:
        for job in self.others.get(entry.key, ()):
            if entry.error:
                self.journal.add(Entry(job.key, job.stem, error=entry.error))
            else:
                adopt(self.journal, job)


def summary(table: Table, jobs: Sequence[Job], todo: Sequence[Job]) -> str:
    rows, waiting = len(table.rows), len({job.key for job in todo})
    groups = len({job.group for job in todo})
    parts = [f"{rows} {_rows(rows)}: {waiting} to paint, {len(jobs) - len(todo)} done already"]
    if same := rows - len(jobs):
        parts.append(f"{same} {_rows(same)} the same as others")
    if groups > 1:
        parts.append(f"{groups} groups of models and learned looks")
    return ", ".join(parts) + "."


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _paint(options: argparse.Namespace, plan: Plan, jobs: list[Job], distinct: Distinct) -> int:
    journal, first = distinct.journal, list(distinct.first.values())
    try:
        if first:
            line = ProgressLine(len(first))

            def ended(entry: Entry) -> None:
                distinct.ended(entry)
                line.ended(failed=bool(entry.error))

            try:
                with cluster(options.address, dashboard=options.dashboard) as ray:
                    _work(
                        options,
                        ray,
                        Crew(plan, journal, timeout=options.timeout, ended=ended),
                        first,
                    )
            finally:
                line.close()
    finally:
        base = journal.folder / f"{options.jobs.stem}_results"
        for path in write_results(base, plan.table, jobs, journal):
            say(f"  {path}")
    if options.sheet:
        write_sheet(options.sheet, plan.table, jobs, journal)
    return tell_failures(jobs, journal)


def _work(options: argparse.Namespace, ray: Any, crew: Crew, jobs: list[Job]) -> None:
    signal.signal(signal.SIGTERM, _like_ctrl_c)  # Ray has put a handler of its own there
    if options.dashboard:
        say(f"Ray's dashboard: http://{ray.get_dashboard_url() or 'of the cluster'}")
    workers, each = share(ray.cluster_resources(), options.workers, options.cores)
    workers = min(workers, len(jobs))
    shelf, actor = Shelf(ray), ray.remote(Hand)
    say(f"Starting {workers} {'worker' if workers == 1 else 'workers'} ({_each(each)} each).")

    def hire(number: int) -> RayWorker:
        return RayWorker(ray, shelf, actor.options(**each).remote(number + 1))

    asyncio.run(crew.paint(Backlog(jobs), workers, hire))


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
