"""Fixtures for every test. No sys.path edits: `run.py test` sets the path up."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from launcher.base_folder import fresh_base
from launcher.client import Client
from launcher.host import find_host
from launcher.server import Server, start_server

SLOWEST = 10  # files that a run of more of them names at its end
SPENT = pytest.StashKey[dict[str, list[float]]]()  # file -> its seconds, and of processors


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In several processes: files with slow tests first, then those with many tests.

    A file's tests stay together, so a slow file begun last would be waited for alone. Those in a
    browser come second, when the static checks beside the tests have ended.
    """
    if hasattr(config, "workerinput"):
        many, rank = Counter(item.path for item in items), dict[Path, int]()
        for item in items:
            if item.get_closest_marker("slow"):
                rank[item.path] = 1 if item.get_closest_marker("browser") else 0
        items.sort(key=lambda item: (rank.get(item.path, 2), -many[item.path], item.path))


def _clocks() -> tuple[float, float]:
    """Seconds, and those of processors: of this process and of the programs that it has ended."""
    return time.monotonic(), sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    before = _clocks()
    done = yield
    file = item.path.relative_to(item.config.rootpath).as_posix()
    spent = item.config.stash.setdefault(SPENT, {}).setdefault(file, [0.0, 0.0])
    spent[:] = [old + new - then for old, new, then in zip(spent, _clocks(), before, strict=True)]
    return done


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)  # of one process of several
    if output is not None:
        output["spent"] = session.config.stash.get(SPENT, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    ended = getattr(node, "workeroutput", {})  # not of a process that broke down
    node.config.stash.setdefault(SPENT, {}).update(ended.get("spent", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the slowest files, so that a test that costs too much is seen when it is new."""
    spent = config.stash.get(SPENT, {})
    if len(spent) <= SLOWEST:
        return
    terminalreporter.section("slowest files: seconds, and of processors")
    for file, seconds in sorted(spent.items(), key=lambda one: -max(one[1]))[:SLOWEST]:
        terminalreporter.write_line("{:6.0f} {:6.0f}  {}".format(*seconds, file))
    totals = map(sum, zip(*spent.values(), strict=True))
    terminalreporter.write_line("{:6.0f} {:6.0f}  of {} files".format(*totals, len(spent)))


@pytest.fixture
def generator() -> torch.Generator:
    """A random generator that starts the same in every test."""
    return torch.Generator().manual_seed(20231014)


@pytest.fixture
def killed_after() -> Callable[..., contextlib.AbstractContextManager[subprocess.Popen[str]]]:
    """Run a Python program until it has printed these lines; it is killed when the block ends."""

    @contextlib.contextmanager
    def run(lines: list[str], *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-P", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert [process.stdout.readline().strip() for _ in lines] == lines
                yield process
            finally:
                process.kill()

    return run


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A ComfyUI of this session alone, on a free port, in a folder that is removed afterwards."""
    comfyui = os.environ.get("COMFYUI_PATH")
    if not comfyui:
        pytest.skip("COMFYUI_PATH is not set; start with: python3 run.py test")
    with fresh_base() as base, start_server(find_host(comfyui), base, name="tests") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    """A client of the session's server."""
    return server.client
