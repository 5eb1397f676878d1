"""Which jobs are done: a file of JSON lines beside the pictures, only ever added to.

A picture is written before its line, so that a line never speaks of a picture that is not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from collage_core.storage.atomic_write import write_whole
from tools.batch.jobs import Job

NAME = "journal.jsonl"
ABOUT_BYTES = 60  # of what a picture is, in its name


@dataclass(frozen=True)
class Entry:
    """What became of one job. files: names in the folder; error: "" where it was painted."""

    key: str
    stem: str
    files: tuple[str, ...] = ()
    seconds: float = 0.0
    worker: str = ""
    warnings: tuple[str, ...] = ()
    error: str = ""


class Journal:
    """The entries of a folder by content and name, and their file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, Entry] = {}
        self.stems: dict[str, list[str]] = {}  # by content
        self._file = open(folder / NAME, "a+b", buffering=0)  # noqa: SIM115  open until `close`
        self._file.seek(0)
        lines = self._file.read().split(b"\n")
        for line in lines:
            if (entry := _entry(line)) is not None:
                self._keep(entry)
        if lines[-1]:  # a process was killed within a line
            self._file.write(b"\n")

    def done(self, stem: str) -> Entry | None:
        """The entry of a job whose pictures are all there."""
        entry = self.entries.get(stem)
        if entry is None or entry.error or not entry.files:
            return None
        return entry if all((self.folder / name).is_file() for name in entry.files) else None

    def same(self, key: str) -> Entry | None:
        """A finished entry of this content under another name."""
        return next(filter(None, map(self.done, self.stems.get(key, ()))), None)

    def add(self, entry: Entry) -> None:
        self._keep(entry)
        line = json.dumps(asdict(entry), ensure_ascii=False)
        self._file.write(line.encode(errors="replace") + b"\n")

    def close(self) -> None:
        self._file.close()

    def _keep(self, entry: Entry) -> None:
        if entry.stem not in self.entries:
            self.stems.setdefault(entry.key, []).append(entry.stem)
        self.entries[entry.stem] = entry


def _entry(line: bytes) -> Entry | None:
    """The entry of a line; None for a damaged one, whose job is painted again."""
    try:
        said = json.loads(line)
        own = {field.name: said[field.name] for field in fields(Entry)}
        lists = {name: tuple(own[name]) for name in ("files", "warnings")}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Entry(**{**own, **lists})


def write_pictures(
    folder: Path, stem: str, pictures: Sequence[tuple[str, str, bytes]]
) -> tuple[str, ...]:
    """Write the pictures of a job, each there whole or not at all, and return their names.

    pictures: what it is, its suffix and its bytes. One picture is named by the stem alone.
    """
    names = picture_names(stem, [(about, suffix) for about, suffix, _ in pictures])
    for name, (_, _, data) in zip(names, pictures, strict=True):
        write_whole(folder / name, data, replace=True)
    return names


def picture_names(stem: str, kinds: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    if len(kinds) == 1:
        return (stem + kinds[0][1],)
    counted: dict[str, int] = {}
    names = []
    for whole, suffix in kinds:
        about = whole.encode()[:ABOUT_BYTES].decode(errors="ignore")
        counted[about] = counted.get(about, 0) + 1
        again = f"_{counted[about]}" if counted[about] > 1 else ""
        names.append(f"{stem}_{about}{again}{suffix}")
    return tuple(names)


def renamed(entry: Entry, stem: str) -> Mapping[str, str]:
    """The names that the files of an entry get under another stem."""
    return {name: stem + name.removeprefix(entry.stem) for name in entry.files}


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
