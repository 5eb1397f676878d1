"""The files that a workflow names, found on this machine and named by what they hold."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tools.batch.cells import CellError, Spec, shown, spec_of
from tools.batch.nodes import Json

FOLDER = "collage"  # in the input folder: files whose names say what they hold
OWN = re.compile(FOLDER + r"/[0-9a-f]{64}(?:\.[a-z0-9]+)*")
UPLOADS = ("image_upload", "video_upload", "audio_upload", "file_upload", "animated_image_upload")
ELSEWHERE = re.compile(r"(.+) \[(input|output|temp)\]")  # ComfyUI's way to name a folder
OURS = {("CollageOpenFile", "file")}
PICTURES = ("picture", "background_picture", "from")  # keys of a document that name pictures
DOCUMENTS = {("CollageEditor", "document")}


def takes_file(kind: str, name: str, spec: Spec) -> bool:
    """Whether this input names a file of the input folder."""
    return (kind, name) in OURS or any(spec[1].get(option) for option in UPLOADS)


class Files:
    """Finds files in the table's folder or those of the workflow, and remembers what they hold.

    `paths` has every file that was named, by the name it gets on the workers.
    """

    def __init__(self, table: Path, folders: Sequence[Path]) -> None:
        self.table, self.folders = table, folders
        self.paths: dict[str, Path] = {}
        self._names = lru_cache(maxsize=None)(self._name)

    def of_cell(self, cell: Any) -> str:
        """The name of a file that a cell gives, beside the table. Raises CellError."""
        return self._found(shown(cell) if not isinstance(cell, str) else cell.strip(), self.table)

    def of_workflow(self, name: str) -> str:
        """The name of a file that the workflow itself gives. Raises CellError."""
        return self._found(name, *self.folders)

    def _found(self, name: str, *folders: Path) -> str:
        if place := ELSEWHERE.fullmatch(name):
            name = place[1]
            if place[2] != "input":
                raise CellError(
                    f'"{name}" lies in the folder {place[2]} of a ComfyUI; choose a copy that '
                    "lies in its folder input"
                )
        found = self._names(name, folders)
        if not found:
            places = ", ".join(str(folder) for folder in folders)
            raise CellError(f'there is no file "{name}" in {places}')
        return found

    def _name(self, name: str, folders: tuple[Path, ...]) -> str:
        if name in self.paths:
            return name
        for folder in folders:
            path = folder / name
            if name and "\0" not in name and path.is_file():
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                own = f"{FOLDER}/{digest}{_ending(path.name)}"
                self.paths[own] = path.resolve()
                return own
        return ""

    def text(self, name: str) -> str:
        """What a text file of `paths` holds. Raises CellError."""
        try:
            return unchanged(name, self.paths[name]).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise CellError(f"{self.paths[name]} is no text in UTF-8") from error

    def renamed(self, text: str, find: Callable[[str], str]) -> str:
        """A document with its pictures named by what they hold; other texts stay as they are."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return text  # the host says what is wrong with it
        return json.dumps(_pictures(document, find), ensure_ascii=False)


def unchanged(name: str, path: Path) -> bytes:
    """The bytes of a file, which have to be those that it was named by. Raises CellError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CellError(f"{path} cannot be read any more ({error.strerror})") from error
    if hashlib.sha256(data).hexdigest() not in name:
        raise CellError(f"{path} was changed after the batch began; run the command again")
    return data


def _ending(name: str) -> str:
    """The suffix; both of .collage.zip."""
    lower = name.lower()
    return ".collage.zip" if lower.endswith(".collage.zip") else Path(lower).suffix


def _pictures(part: Any, find: Callable[[str], str], key: str = "") -> Any:
    if isinstance(part, dict):
        return {name: _pictures(one, find, name) for name, one in part.items()}
    if isinstance(part, list):
        return [_pictures(one, find) for one in part]
    return find(part) if key in PICTURES and isinstance(part, str) and part else part


def file_inputs(prompt: Json, info: Json) -> list[tuple[str, str, bool]]:
    """Node, input and whether it is a document, of every input that names files."""
    found = []
    for node, entry in prompt.items():
        kind = entry["class_type"]
        described = info.get(kind, {}).get("input", {})
        specs = {**described.get("required", {}), **described.get("optional", {})}
        for name, spec in specs.items():
            if (kind, name) in DOCUMENTS:
                found.append((node, name, True))
            elif takes_file(kind, name, spec_of(spec)):
                found.append((node, name, False))
    return found
