"""The virtual environment of the private host, exactly as the lock files say."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from pathlib import Path

from collage_core.storage.atomic_write import write_whole
from launcher.paths import GIGABYTE, HOST_DIR, REPO, new_log, require_space
from launcher.process import run_logged, say
from launcher.tools import find_uv, venv_python

HOST_LOCK = REPO / "launcher" / "host.lock"
TEST_LOCK = REPO / "launcher" / "test.lock"
BATCH_LOCK = REPO / "launcher" / "batch.lock"
DASHBOARD_LOCK = REPO / "launcher" / "dashboard.lock"
LIBRARIES_OF_RAY = "/(air|data|llm|rllib|serve|train|tune)/"  # nothing here imports them
VENV = HOST_DIR / "venv"
NEEDED_BYTES = 9 * GIGABYTE


def fingerprint(*lock_files: Path) -> str:
    """Return a digest that changes whenever a lock file does."""
    digest = hashlib.sha256()
    for lock_file in lock_files:
        digest.update(lock_file.read_bytes())
    return digest.hexdigest()


def is_installed(folder: Path, stamp: str, name: str = "host") -> bool:
    """Say whether `folder` was completed from the lock with this fingerprint."""
    try:
        return (folder / f"{name}.stamp").read_text() == stamp
    except OSError:
        return False


def is_built(venv: Path = VENV) -> bool:
    """Say whether the environment is complete and current, and its interpreter exists."""
    return is_installed(venv, fingerprint(HOST_LOCK)) and venv_python(venv).exists()


def missing_files(venv: Path = VENV) -> list[str]:
    """Packages of the lock, and files of installed packages, that are missing."""
    sites = [*venv.glob("lib/python3*/site-packages"), venv / "Lib" / "site-packages"]
    installed = [info for site in sites for info in site.glob("*.dist-info")]
    present = {_plain(info.name.partition("-")[0]) for info in installed}
    pins = (line.partition("==") for line in HOST_LOCK.read_text().splitlines())
    wanted = [name for name, _, rest in pins if rest and "#" not in name and ";" not in rest]
    missing = [name for name in wanted if _plain(name) not in present]
    for info in installed:
        record = info / "RECORD"
        lines = record.read_text("utf-8").splitlines() if record.is_file() else ["RECORD,,"]
        names = [line.rsplit(",", 2)[0].strip('"') for line in lines]
        missing += [name for name in names if not _is_there(info.parent / name)]
    return missing


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _is_there(file: Path) -> bool:
    return file.suffix == ".pyc" or file.exists()


def build_environment(log: Path, venv: Path = VENV) -> None:
    """Make the environment; mark it complete at the end, or remove it after a failure."""
    require_space(venv.parent, NEEDED_BYTES)
    say("Installing torch and ComfyUI's packages (7 GB on disk, a few minutes the first time).")
    uv = find_uv(log)
    python = venv_python(venv)
    shutil.rmtree(venv, ignore_errors=True)
    try:
        make = [*uv, "venv", "--python", sys.executable, str(venv)]
        run_logged(make, "making the environment", log)
        sync = [*uv, "pip", "sync", "--python", str(python), str(HOST_LOCK)]
        run_logged(sync, "installing packages", log)
        check = "import torch, torchvision, torchaudio, torchsde"
        run_logged([python, "-c", check], "starting torch once", log)
        write_whole(venv / "host.stamp", fingerprint(HOST_LOCK))
    except BaseException:  # Ctrl-C too: a half-made environment must not stay
        shutil.rmtree(venv, ignore_errors=True)
        raise


def add_test_tools(python: Path, folder: Path, *, apart: bool) -> None:
    """Install the test tools into the environment `folder`, or apart from a foreign Python.

    `apart` installs into `folder` alone, so that somebody else's ComfyUI stays unchanged.
    """
    stamp = fingerprint(TEST_LOCK, HOST_LOCK)
    if is_installed(folder, stamp, "test"):
        return
    say("Installing the test tools.")
    log = new_log("test-tools")
    install = [*find_uv(log), "pip", "install", "--no-deps", "--python", str(python)]
    install += ["--target", str(folder)] if apart else []
    run_logged([*install, "--requirement", str(TEST_LOCK)], "installing the test tools", log)
    write_whole(folder / "test.stamp", stamp, replace=True)


def add_apart(python: Path, lock: Path, folder: Path) -> None:
    """Install a lock file for this Python into `folder` alone, whose name goes on PYTHONPATH.

    What Ray's own processes load is compiled: six of them start at once, and Ray gives them half a
    minute together.
    """
    stamp = fingerprint(lock)
    if is_installed(folder, stamp, lock.stem):
        return
    say(f"Installing the packages of {lock.name} in a folder of their own.")
    log = new_log(lock.stem)
    shutil.rmtree(folder, ignore_errors=True)
    install = [*find_uv(log), "pip", "install", "--no-deps", "--python", str(python)]
    install += ["--target", str(folder), "--requirement", str(lock)]
    run_logged(install, f"installing {lock.name}", log)
    if (folder / "ray").is_dir():
        compiling = [str(python), "-m", "compileall", "-q", "-x", LIBRARIES_OF_RAY]
        run_logged([*compiling, str(folder / "ray")], "compiling Ray", log)
    write_whole(folder / f"{lock.stem}.stamp", stamp, replace=True)
