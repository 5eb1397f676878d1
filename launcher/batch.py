"""The `batch` command: a table of jobs, painted by many ComfyUIs over Ray; and `ray` itself.

Both run in the host's Python, with the packages of batch.lock in a folder of their own before
the host's, which stay as they are. `tools/batch` does the work.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from launcher import environment
from launcher.arguments import at_least
from launcher.failure import LauncherError
from launcher.host import Host
from launcher.paths import HOST_DIR, REPO
from launcher.process import ends_with_parent

STOP_SECONDS = 60.0
# Ray tells nobody that it is used, waits for its parts on a busy machine, and gives those who paint
# the same share of it as everybody else.
RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_worker_niceness": "0",
}


def add_arguments(batch: argparse.ArgumentParser) -> None:
    """The options of `batch`."""
    batch.add_argument("jobs", type=Path, metavar="JOBS", help="CSV, JSON lines or Parquet")
    batch.add_argument("--workflow", type=Path, metavar="FILE", required=True, help="either form")
    batch.add_argument("--output", type=Path, metavar="DIR", required=True, help="for the pictures")
    batch.add_argument(
        "--grid", action="append", metavar="COLUMN=LIST", help="make JOBS of all combinations"
    )
    batch.add_argument("--dry-run", action="store_true", help="check every row, paint nothing")
    batch.add_argument(
        "--input", type=Path, action="append", metavar="DIR", help="of files the workflow names"
    )
    batch.add_argument("--sheet", type=Path, metavar="FILE", help="a labelled sheet of all rows")
    batch.add_argument("--workers", type=at_least(1), metavar="N", help="default: one a GPU")
    batch.add_argument("--cores", type=at_least(1), metavar="N", help="of each worker, on CPUs")
    batch.add_argument("--timeout", type=at_least(1), default=1800, metavar="S", help="for a row")
    batch.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster that runs")
    batch.add_argument("--dashboard", action="store_true", help="with Ray's page, on loopback")


def run_batch(host: Host, options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Paint a table; mistakes that need no ComfyUI are found before anything is installed."""
    if not options.jobs.is_file() and not options.grid:
        raise LauncherError(
            f"There is no table {options.jobs}; write one, or let --grid make one of that name."
        )
    if options.sheet and options.sheet.suffix.lower() not in (".png", ".jpg", ".webp"):
        raise LauncherError(f"{options.sheet} is no picture; name the sheet .png, .jpg or .webp.")
    env = batch_environ(host, dashboard=options.dashboard)
    return _run(host.module("tools.batch", *arguments), env)


def run_ray(host: Host, arguments: Sequence[str]) -> int:
    """Ray's own command line, with tokens, for the machines of a cluster."""
    env = {**batch_environ(host, dashboard=False), "RAY_AUTH_MODE": "token"}
    return _run(host.module("ray.scripts.scripts", *arguments), env)


def batch_environ(host: Host, *, dashboard: bool) -> dict[str, str]:
    """Install what is missing, and return the environment for Ray and for `tools.batch`.

    ComfyUI is not on this path: the workers start it as a program.
    """
    own = batch_packages(host)
    folders = [REPO, own]
    if dashboard:
        folders.append(own.with_name(f"{own.name}_dashboard"))
        environment.add_apart(host.python, environment.DASHBOARD_LOCK, folders[-1])
    env = host.environ()
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # Ray's processes would compile it all, each time
    path = os.pathsep.join(map(str, [*folders, *filter(None, [host.site])]))
    return {**env, "PYTHONPATH": path, **RAY}


def batch_packages(host: Host) -> Path:
    """The folder with the packages of batch.lock for the host's Python, installed if need be."""
    folder = HOST_DIR / ("batch" if host.private else "batch_apart")
    environment.add_apart(host.python, environment.BATCH_LOCK, folder)
    return folder


def _run(command: Sequence[str], env: dict[str, str]) -> int:
    """Run it on this terminal, which passes Ctrl-C on; SIGTERM lets it stop its workers."""
    process = subprocess.Popen(
        command,
        env=env,
        preexec_fn=ends_with_parent(),  # noqa: PLW1509  one system call, no locks taken
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(STOP_SECONDS)
        process.kill()  # its servers end with it
        raise
