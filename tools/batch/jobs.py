"""Every row of a table as a checked job, with a name from its content."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.failure import LauncherError
from tools.batch.cells import CellError, shown
from tools.batch.columns import Columns, Put
from tools.batch.files import OWN, Files, file_inputs
from tools.batch.nodes import Graph, Json
from tools.batch.table import Table

NAME = "name"  # the column of file names
COMMENT = "#"  # begins the name of a column that is only handed on
NAMEABLE = re.compile(r'(?!\.)[^\x00-\x1f/\\:*?"<>|\ud800-\udfff]+(?<![. ])')
NAME_BYTES = 120  # half of what most file systems allow; the key and what a file is follow
KEY_LETTERS = 16
MODELS = {"MODEL", "CLIP", "VAE", "CONTROL_NET", "CLIP_VISION", "STYLE_MODEL", "UPSCALE_MODEL"}
LEARNED = "LayerTextualInversion"
SHOWN_FAULTS = 20


@dataclass(frozen=True)
class Job:
    """One picture to paint; rows with the same content and name are one job.

    key: of the content; stem: how its files' names begin; group: what a worker keeps loaded for
    it; rows: where it stands in the table, from 1.
    """

    key: str
    stem: str
    group: str
    rows: tuple[int, ...]


class Plan:
    """A table for a workflow. Raises LauncherError for columns that name nothing.

    plan = Plan(Graph(prompt, client.object_info()), table, files)
    jobs = plan.jobs()
    plan.prompt_of(jobs[0].rows[0])
    """

    def __init__(self, graph: Graph, table: Table, files: Files) -> None:
        self.graph, self.table, self.files = graph, table, files
        self._require_nodes()
        self.base = {node: _plain(entry) for node, entry in graph.prompt.items()}
        self.named = file_inputs(self.base, graph.info)
        self.open = [place for place in self.named if not self._settled(self.base, place)]
        self.costly = _costly(graph)
        self.puts = self._columns()

    def _require_nodes(self) -> None:
        for node, entry in self.graph.prompt.items():
            if entry["class_type"] not in self.graph.info:
                raise LauncherError(
                    f"This ComfyUI has no node {entry['class_type']} (node {node} of the workflow)."
                )

    def _columns(self) -> list[tuple[int, Put]]:
        found, faults = [], []
        columns = Columns(self.graph, self.files, self.table.columns)
        for place, column in enumerate(self.table.columns):
            if column == NAME or column.startswith(COMMENT):
                continue
            try:
                found.append((place, columns.put(column)))
            except CellError as error:
                faults.append(f"column {column}: {error}.")
        if faults:
            raise LauncherError(_listed("The table does not fit the workflow", faults))
        return sorted(found, key=lambda one: columns.rank(self.table.columns[one[0]]))

    def prompt_of(self, row: int) -> Json:
        """The workflow of a row, counted from 1. Raises CellError with the column."""
        prompt = {
            node: {**entry, "inputs": dict(entry["inputs"])} for node, entry in self.base.items()
        }
        faults = []
        for place, put in self.puts:
            cell = self.table.rows[row - 1][place]
            try:
                if cell is not None:
                    put(prompt, cell)
            except CellError as error:
                faults.append(f"column {self.table.columns[place]}: {error}")
        if faults:
            raise CellError("; ".join(faults))
        for place in self.open:
            self._settle(prompt, place)
        return prompt

    def _settled(self, prompt: Json, place: tuple[str, str, bool]) -> bool:
        try:
            self._settle(prompt, place)
        except CellError:
            return False
        return True

    def _settle(self, prompt: Json, place: tuple[str, str, bool]) -> None:
        """Name the files of one input by what they hold. Raises CellError for missing ones."""
        node, name, is_document = place
        value = prompt[node]["inputs"].get(name)
        if not isinstance(value, str):
            return
        find = self.files.of_workflow
        try:
            new = self.files.renamed(value, find) if is_document else find(value)
        except CellError as error:
            raise CellError(f"{self.graph.called(node)}, input {name}: {error}") from error
        prompt[node]["inputs"][name] = new

    def files_of(self, prompt: Json) -> dict[str, Path]:
        """The files of a row's workflow by the names that it has for them."""
        texts = (prompt[node]["inputs"].get(name) for node, name, _ in self.named)
        names = (name for text in texts if isinstance(text, str) for name in OWN.findall(text))
        return {name: self.files.paths[name] for name in names if name in self.files.paths}

    def jobs(self) -> list[Job]:
        """Every distinct job, groups one after the other, in the order of the table.

        Raises LauncherError that names the bad rows.
        """
        found: dict[tuple[str, str], list[int]] = {}
        groups: dict[str, str] = {}
        faults = []
        for row in range(1, len(self.table.rows) + 1):
            try:
                prompt, name = self.prompt_of(row), self.name_of(row)
            except CellError as error:
                faults.append(f"row {row}, {error}.")
                continue
            key = digest(prompt)
            found.setdefault((key, name), []).append(row)
            groups.setdefault(key, digest({node: prompt[node] for node in self.costly}))
        if faults:
            raise LauncherError(
                _listed(f"{len(faults)} of {len(self.table.rows)} rows cannot be painted", faults)
            )
        order = {group: place for place, group in enumerate(dict.fromkeys(groups.values()))}
        every = [
            Job(key, _stem(key, name), groups[key], tuple(rows))
            for (key, name), rows in found.items()
        ]
        return sorted(every, key=lambda job: order[job.group])

    def name_of(self, row: int) -> str:
        if NAME not in self.table.columns:
            return ""
        cell = self.table.rows[row - 1][self.table.columns.index(NAME)]
        name = "" if cell is None else str(cell).strip()
        if name and not NAMEABLE.fullmatch(name):
            raise CellError(f'column {NAME}: "{shown(name)}" is no name that a file can have')
        if (size := len(name.encode())) > NAME_BYTES:
            raise CellError(
                f'column {NAME}: "{shown(name)}" has {size} bytes in UTF-8, and the name of a file '
                f"can begin with {NAME_BYTES} at most"
            )
        return name


def _plain(entry: Json) -> Json:
    """A node without its title, which changes no picture."""
    return {"class_type": entry["class_type"], "inputs": dict(entry["inputs"])}


def _costly(graph: Graph) -> list[str]:
    """The nodes whose results a worker should keep: loaded models, and learned looks."""

    def loads(node: str) -> bool:
        given = graph.info[graph.kind(node)].get("output", [])
        return bool(given) and all(str(one) in MODELS for one in given)

    found = set()
    for node in graph.prompt:
        around = graph.closure(node)
        if graph.kind(node) == LEARNED or all(map(loads, around)):
            found |= around
    return sorted(found)


def digest(value: Any) -> str:
    """A hash of JSON that does not depend on the order of keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _stem(key: str, name: str) -> str:
    return f"{name}-{key[:KEY_LETTERS]}" if name else key[:KEY_LETTERS]


def _listed(about: str, faults: Sequence[str]) -> str:
    more = len(faults) - SHOWN_FAULTS
    lines = [*faults[:SHOWN_FAULTS], *([f"and {more} more."] if more > 0 else [])]
    return "\n  ".join([f"{about}; nothing was started:", *lines])


def input_folders(workflow: Path, more: Sequence[Path]) -> list[Path]:
    """Where the files lie that a workflow itself names; the first that has a file counts."""
    beside = workflow.absolute().parent
    return [
        *(folder.absolute() for folder in more),
        beside,
        beside / "input",
        beside.parent / "input",
    ]
