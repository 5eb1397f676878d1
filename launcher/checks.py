"""The `test` command: every test, and lint, format and types beside them, in the host's Python."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from launcher import environment
from launcher.batch import batch_packages
from launcher.failure import LauncherError
from launcher.host import Host, must_use_cpu
from launcher.paths import HOST_DIR, REPO
from launcher.process import say

# A file's tests stay together and share its fixtures; tests/conftest.py says in which order. Every
# process starts a server of its own and holds models, so that more of them would ask for more
# memory than many machines have.
AT_ONCE = ("-n", str(min(2, os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder")


def run_tests(host: Host, pytest_arguments: Sequence[str], **environ: str) -> int:
    """Run pytest and the static checks; return 0 only when all of them passed.

    With arguments for pytest, only pytest runs, in one process. The static checks run on the
    private host alone, because the type checker is configured for it. `environ` is added to the
    environment.
    """
    env = {**test_environ(host), **environ}
    static = _static_checks(host) if host.private and not pytest_arguments else []
    with _beside(host, static, env) as failed:
        status = _run(host.module("pytest", *(pytest_arguments or AT_ONCE)), env)
        if not pytest_arguments and not must_use_cpu(host):  # in a process that may take the GPU
            env = {**env, "COLLAGE_CPU": "", "COLLAGE_GPU": "cuda"}
            status = _run(host.module("pytest", "tests/gpu"), env) or status
    if failed:
        raise LauncherError(f"Not clean: {', '.join(failed)} (what they found stands above).")
    return status


def _static_checks(host: Host) -> list[list[str]]:
    return [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["basedpyright", "--level", "error", "--pythonpath", str(host.python)],
    ]


@contextmanager
def _beside(
    host: Host, commands: Sequence[list[str]], env: Mapping[str, str]
) -> Iterator[list[str]]:
    """Run commands while the block runs, and print what they say after it, where it is read.

    The list that the block gets names, once the block has ended, the commands that failed.
    """
    failed: list[str] = []
    with ExitStack() as ends:
        started = []
        for command in commands:
            output = ends.enter_context(TemporaryFile("w+", encoding="utf-8", errors="replace"))
            process = subprocess.Popen(
                host.module(*command), env=env, cwd=REPO, stdout=output, stderr=subprocess.STDOUT
            )
            ends.callback(process.wait)
            ends.callback(process.terminate)
            started.append((" ".join(command), process, output))
        yield failed
        for name, process, output in started:
            if process.wait() != 0:
                failed.append(name)
            output.seek(0)
            say(f"$ {name}\n{output.read().rstrip()}")


def test_environ(host: Host) -> dict[str, str]:
    """Install the test tools if need be and return the environment that finds them.

    One thread a process: several threads on shared cores spin while they wait for one another.
    """
    env = {"OMP_NUM_THREADS": "1", **host.environ(), "COLLAGE_CPU": "1"}
    folder = environment.VENV if host.private else HOST_DIR / "test_tools"
    environment.add_test_tools(host.python, folder, apart=not host.private)
    apart = [] if host.private else [folder]
    apart.append(batch_packages(host))
    env["PYTHONPATH"] = os.pathsep.join([env["PYTHONPATH"], *map(str, apart)])
    return env


def run_module(host: Host, module: str, arguments: Sequence[str]) -> int:
    """Run one of the pack's own programs with the host's Python and ComfyUI importable."""
    return _run(host.module(module, *arguments), host.environ())


def _run(command: Sequence[str | Path], env: Mapping[str, str]) -> int:
    """Run a command on this terminal, which passes Ctrl-C on to it; return its status."""
    say(f"$ {' '.join(str(part) for part in command[3:])}")
    process = subprocess.Popen(command, env=env, cwd=REPO)
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
