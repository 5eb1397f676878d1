"""Trainings by content: what was learned once is found again, what was interrupted goes on.

A training's key is the hash of all that determines its result. The result is published in the
first folder of the host's embeddings that can be written, for every prompt to use; locks and
states lie in a folder beside it, so that all who share the results share these too, and end in
.lock and .state, which the host does not list. The host's temp folder it clears at every start.

Host symbols:
    folder_paths: get_folder_paths(folder_name)
    comfy.model_management: throw_exception_if_processing_interrupted()
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import folder_paths
from comfy.model_management import throw_exception_if_processing_interrupted

from ....collage_core.errors import CollageError, quoted
from ....collage_core.inversion.settings import NODE
from ....collage_core.storage.atomic_write import first_writable, sweep, write_whole
from ....collage_core.storage.content_key import content_key
from ....collage_core.storage.embedding_file import (
    SUFFIX,
    Vectors,
    read_with_metadata,
    slug_of,
    write_embedding,
)
from ....collage_core.storage.file_lock import exclusive
from ....collage_core.storage.training_state import pack_state, unpack_state

__all__ = ["Job", "content_key", "job"]

log = logging.getLogger(__name__)

# key -> name, vectors and metadata of what was learned and no disk would take
_UNWRITTEN: dict[str, tuple[str, Vectors, dict[str, str]]] = {}

STATES = "collage_training"
DIGITS = (10, 18)  # of the key in a name; the longer where a stranger's file has the shorter


def unwritten_mark() -> str:
    """Another one at every call while something that was learned is not in a file yet."""
    return str(time.monotonic_ns()) if _UNWRITTEN else ""


@contextlib.contextmanager
def job(key: str, slug: str, say: Callable[[str], object] = log.info) -> Iterator[Job]:
    """The training of this key, for one at a time: whoever comes second waits for its result.

    `slug` may be the phrase itself. `say` is told of the waiting, which the host's interrupt ends.
    Raises CollageError where nothing was learned yet and nothing could be kept.
    """
    current = Job(key, slug)
    with contextlib.ExitStack() as held:
        if not current.look_up():
            current.settle()
            try:
                held.enter_context(exclusive(current.beside(".lock"), _waiting(say)))
            except OSError as error:  # a network folder without locks: twice the work, no harm
                log.warning("Trainings are not kept apart: %s", error.strerror or error)
            if not current.look_up():
                current.recover()
        yield current


def _waiting(say: Callable[[str], object]) -> Callable[[int | None], None]:
    told = []

    def wait(holder: int | None) -> None:
        throw_exception_if_processing_interrupted()
        if not told:
            process = "another process" if holder is None else f"process {holder}"
            say(f"waiting for {process}, which is learning this layer")
        told.append(holder)

    return wait


class Job:
    """One training: `found` when it is done already, else `saved_state` when it was begun.

    name: what `embedding:NAME` says; metadata: the strings of the file that was found; notes:
    what could not be read or kept, in sentences for the report. No disk that fills up later ends
    a training: what was learned is still there in memory.
    """

    def __init__(self, key: str, slug: str) -> None:
        self.key = key
        self.found: Vectors | None = None
        self.metadata: dict[str, str] = {}
        self.saved_state: dict[str, Any] | None = None
        self.notes: list[str] = []
        self._names = [f"col_{slug_of(slug)}_{key[:digits]}" for digits in DIGITS]
        self.name = self._names[0]
        self._folder: Path | None = None  # for results and states, once it is chosen

    def look_up(self) -> bool:
        """Whether the result is there; `found`, `metadata` and `name` then tell it."""
        for path in (f / f"{name}{SUFFIX}" for name in self._names for f in _folders()):
            own = self._own(path)
            if own:
                self.found, self.metadata = own
                self.name = path.stem
                return True
        return self._write_at_last()

    def _write_at_last(self) -> bool:
        """Whether it was learned before and could not be written; then that is tried again."""
        if self.key not in _UNWRITTEN:
            return False
        self.name, self.found, self.metadata = _UNWRITTEN[self.key]
        try:
            self.settle()
        except CollageError:
            self._not_written(OSError("no folder can be written"))
        else:
            self.publish(self.found, self.metadata)
        return True

    def settle(self) -> None:
        """Choose the folder for results and states; CollageError where none can be written."""
        try:
            self._folder = first_writable(_folders(), STATES)
        except OSError as error:
            raise CollageError(
                f"{NODE}, output embedding: no folder of models/embeddings can be written "
                f"({error.strerror or error}), so nothing that is learned could be kept. Make the "
                "folder writable, free some space, or add another folder in extra_model_paths.yaml."
            ) from error
        sweep(self._folder, "col_")
        sweep(self._folder / STATES)

    def beside(self, suffix: str) -> Path:
        """A file of this training in the folder of the states."""
        assert self._folder is not None
        return self._folder / STATES / f"{self.key}{suffix}"

    def recover(self) -> None:
        """Read the state that an earlier run left; one that is damaged is put aside."""
        try:
            self.saved_state = unpack_state(self.beside(".state").read_bytes(), self.key)
        except FileNotFoundError:
            return
        except OSError as error:
            self.put_aside(f"cannot be read ({error.strerror})")
        except ValueError as error:
            self.put_aside(str(error))

    def put_aside(self, reason: str) -> None:
        """Keep a state that is of no use out of the way; `reason` ends a sentence about it."""
        self.saved_state = None
        self._note(f"The state of the interrupted training {reason}; it starts afresh.")
        with contextlib.suppress(OSError):
            self.beside(".state").replace(self.beside(".bad"))

    def save_state(self, state: dict[str, Any]) -> None:
        """Keep tensors and plain values, nested in dicts and lists, for `saved_state` to give.

        A kill at any moment leaves this state or the one before.
        """
        try:
            write_whole(self.beside(".state"), pack_state(state, self.key), replace=True)
        except OSError as error:
            self._note(
                f"The state of the training cannot be kept ({error.strerror or error}): if it is "
                "interrupted, it starts afresh. Free some space for models/embeddings."
            )

    def publish(self, vectors: Vectors, metadata: Mapping[str, object]) -> str:
        """Write the result as an embedding, over no other file, and return its name."""
        assert self._folder is not None
        strings = {**metadata, "collage.schema": 1, "collage.hash": self.key}
        problem = None
        for name in self._names:
            self.name = name
            problem = self._write(self._folder / f"{name}{SUFFIX}", vectors, strings)
            if not isinstance(problem, FileExistsError):
                break
        if problem is not None:
            text = {name: str(value) for name, value in strings.items()}
            _UNWRITTEN[self.key] = (self.name, vectors, text)
            self._not_written(problem)
        else:
            _UNWRITTEN.pop(self.key, None)
            with contextlib.suppress(OSError):
                self.beside(".state").unlink(missing_ok=True)
        return self.name

    def _write(self, path: Path, vectors: Vectors, strings: dict[str, object]) -> OSError | None:
        """Why the result is not in the file; None when it is."""
        try:
            write_embedding(path, vectors, strings)
        except FileExistsError as error:
            return None if self._own(path) else error
        except OSError as error:
            return error
        return None

    def _own(self, path: Path) -> tuple[Vectors, dict[str, str]] | None:
        """What a file holds if it is the result of this training."""
        try:
            if not path.is_file():
                return None
            vectors, metadata = read_with_metadata(path)
        except OSError:
            return None
        except CollageError as error:
            self._note(f"{error} Until then it is learned anew under another name.")
            return None
        return (vectors, metadata) if metadata.get("collage.hash") == self.key else None

    def _not_written(self, error: OSError) -> None:
        self._note(
            f"The learned embedding {quoted(self.name)} cannot be written to models/embeddings "
            f"({error.strerror or error}). This pack knows it until ComfyUI stops; text "
            "encoders of other nodes would leave it out. Make the folder writable, or free some "
            "space, and run again: it is written then, not learned anew."
        )

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
            log.warning("%s", sentence)


def _folders() -> list[Path]:
    return [Path(folder) for folder in folder_paths.get_folder_paths("embeddings")]
