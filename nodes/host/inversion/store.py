"""Trainings by content: a result is found again, an interrupted training is resumed.

The key of a training is the hash of everything that determines its result. The result is published
in the first writable folder of ComfyUI's embeddings, where every prompt can use it. Locks and
states lie in a folder beside it, so that machines that share the results share these too; their
suffixes .lock and .state are not listed as embeddings. ComfyUI's temp folder would not do: it is
cleared at every start.

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
from ....collage_core.storage.embedding_file import (
    SUFFIX,
    Vectors,
    read_with_metadata,
    slug_of,
    write_embedding,
)
from ....collage_core.storage.file_lock import exclusive
from ....collage_core.storage.tensor_file import pack_state, unpack_state
from ..files.embedding_files import files_of, is_there

log = logging.getLogger(__name__)

# key -> name, vectors and metadata of results that could not be written yet
UNWRITTEN: dict[str, tuple[str, Vectors, dict[str, str]]] = {}

WRITTEN: set[str] = set()  # names of the results that were found or written
GONE: list[str] = []  # names of WRITTEN whose files were taken away, as often as they were

STATES = "collage_training"
KEY_DIGITS = (10, 18)  # in a name; 18 where another file has the name with 10


def files_mark() -> str:
    """A string that changes whenever the file of a result was taken away.

    ComfyUI then asks for the result again, and does not serve a name without a file. While a
    result is not written yet, every call gives a new string.
    """
    gone = {name for name in WRITTEN if not is_there(name)}
    WRITTEN.difference_update(gone)
    GONE.extend(sorted(gone))
    return str(time.monotonic_ns()) if UNWRITTEN else " ".join(GONE)


@contextlib.contextmanager
def job(key: str, slug: str, say: Callable[[str], object] = log.info) -> Iterator[Job]:
    """The training of this key. Only one runs at a time; a second one waits for its result.

        with job(key, "teddy bear") as current:
            if current.found is None:
                current.publish(vectors, metadata)

    slug: a phrase for the name. say: called with a line while waiting, which ComfyUI's interrupt
    ends. Raises CollageError where there is no result yet and none could be saved.
    """
    current = Job(key, slug)
    with contextlib.ExitStack() as held:
        if not current.look_up():
            current.settle()
            try:
                held.enter_context(exclusive(current.beside(".lock"), _waiting(say)))
            except OSError as error:  # without locks two trainings do the work twice, no more
                log.warning("Trainings cannot be locked: %s", error.strerror or error)
            if not current.look_up():
                current.recover()
        yield current


def _waiting(say: Callable[[str], object]) -> Callable[[int | None], None]:
    said = []

    def wait(holder: int | None) -> None:
        throw_exception_if_processing_interrupted()
        if not said:
            process = "another process" if holder is None else f"process {holder}"
            say(f"waiting for {process}, which is learning this layer")
        said.append(holder)

    return wait


class Job:
    """One training.

    found: its result, if it is done. saved_state: that of an interrupted training. name: that of
    the embedding. metadata: the strings of the file that was found. notes: sentences for the
    report about files that could not be read or written. A disk that is full does not end a
    training: the result stays in memory.
    """

    def __init__(self, key: str, slug: str) -> None:
        self.key = key
        self.found: Vectors | None = None
        self.metadata: dict[str, str] = {}
        self.saved_state: dict[str, Any] | None = None
        self.notes: list[str] = []
        self._names = [f"col_{slug_of(slug)}_{key[:digits]}" for digits in KEY_DIGITS]
        self.name = self._names[0]
        self._folder: Path | None = None  # for results and states; see `settle`

    def look_up(self) -> bool:
        """Whether there is a result; sets `found`, `metadata` and `name`."""
        for path in (path for name in self._names for path in files_of(name)):
            own = self._own(path)
            if own:
                self.found, self.metadata = own
                self.name = path.stem
                WRITTEN.add(self.name)
                return True
        return self._write_unwritten()

    def _write_unwritten(self) -> bool:
        """Whether there is a result that could not be written before; it is tried again."""
        if self.key not in UNWRITTEN:
            return False
        self.name, self.found, self.metadata = UNWRITTEN[self.key]
        try:
            self.settle()
        except CollageError:
            self._not_written(OSError("no folder can be written"))
        else:
            self.publish(self.found, self.metadata)
        return True

    def settle(self) -> None:
        """Choose the folder for results and states. Raises CollageError where none is writable."""
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
        """The file of this training with this suffix in the folder of the states."""
        assert self._folder is not None
        return self._folder / STATES / f"{self.key}{suffix}"

    def recover(self) -> None:
        """Read the state of an interrupted training; a damaged one is put aside."""
        try:
            self.saved_state = unpack_state(self.beside(".state").read_bytes(), self.key)
        except FileNotFoundError:
            return
        except OSError as error:
            self.put_aside(f"cannot be read ({error.strerror})")
        except ValueError as error:
            self.put_aside(str(error))

    def put_aside(self, reason: str) -> None:
        """Rename a state that cannot be used. `reason` is the end of a sentence about it."""
        self.saved_state = None
        self._note(f"The state of the interrupted training {reason}; it starts afresh.")
        with contextlib.suppress(OSError):
            self.beside(".state").replace(self.beside(".bad"))

    def save_state(self, state: dict[str, Any]) -> None:
        """Save dicts and lists of tensors and plain values, for a later `saved_state`.

        A process that is killed meanwhile leaves this state or the one before.
        """
        try:
            write_whole(self.beside(".state"), pack_state(state, self.key), replace=True)
        except OSError as error:
            self._note(
                f"The state of the training cannot be kept ({error.strerror or error}): if it is "
                "interrupted, it starts afresh. Free some space for models/embeddings."
            )

    def publish(self, vectors: Vectors, metadata: Mapping[str, object]) -> str:
        """Write the result as an embedding and return its name. No other file is replaced."""
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
            UNWRITTEN[self.key] = (self.name, vectors, text)
            self._not_written(problem)
        else:
            UNWRITTEN.pop(self.key, None)
            WRITTEN.add(self.name)
            with contextlib.suppress(OSError):
                self.beside(".state").unlink(missing_ok=True)
        return self.name

    def _write(self, path: Path, vectors: Vectors, strings: dict[str, object]) -> OSError | None:
        """Write the result; returns the error if that fails."""
        try:
            write_embedding(path, vectors, strings)
        except FileExistsError as error:
            return None if self._own(path) else error
        except OSError as error:
            return error
        return None

    def _own(self, path: Path) -> tuple[Vectors, dict[str, str]] | None:
        """The content of a file if it is the result of this training."""
        try:
            if not path.is_file():
                return None
            vectors, metadata = read_with_metadata(path)
        except OSError:
            return None
        except CollageError as error:
            self._note(
                f"{error} If it is the result of this training, delete it: the embedding is "
                "learned anew under another name."
            )
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
