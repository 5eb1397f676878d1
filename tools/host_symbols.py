"""The host symbols that nodes/host relies on, looked up in the ComfyUI that is importable here.

`nodes/host/__init__.py` explains the lists in the docstrings. Checked are names, the parameters
that the pack passes or receives, and words that ComfyUI's code must mention.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
FOLDER = REPO / "nodes" / "host"
TITLE, INDENT = "Host symbols:", "    "
NAME, PARAMETERS = r"[A-Za-z_]\w*", r"\([\w, *]*\)"
MEMBER = re.compile(rf'"([^"]+)"|({NAME})({PARAMETERS})?')
ENTRY = re.compile(rf"({NAME}(?:\.{NAME})*)({PARAMETERS})?(?:: (.+))?")
KINDS = inspect.Parameter


@dataclass(frozen=True)
class Symbol:
    """One name of the host, or with `quoted` a word that the source of `owner` mentions."""

    file: str
    owner: str
    member: str = ""
    parameters: str | None = None
    quoted: bool = False

    def __str__(self) -> str:
        if self.quoted:
            return f'"{self.member}" in {self.owner}'
        return ".".join(filter(None, [self.owner, self.member])) + (self.parameters or "")


def listed(folder: Path = FOLDER) -> list[Symbol]:
    """The symbols of every file below the folder; ValueError for a list that cannot be read."""
    return [symbol for file in sorted(folder.glob("**/*.py")) for symbol in symbols_of(file)]


def symbols_of(file: Path) -> list[Symbol]:
    docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    lines = docstring.splitlines()
    if TITLE not in lines:
        return []
    listed = itertools.takewhile(
        lambda line: line.startswith(INDENT), lines[lines.index(TITLE) + 1 :]
    )
    entries = "\n".join(listed).replace(f"\n{2 * INDENT}", " ").splitlines()
    return [symbol for entry in entries for symbol in _entry(entry.strip(), _shown(file))]


def _entry(line: str, file: str) -> Iterator[Symbol]:
    entry = ENTRY.fullmatch(line)
    members = list(MEMBER.finditer(entry[3] or "")) if entry else []
    if entry is None or ", ".join(member[0] for member in members) != (entry[3] or ""):
        raise ValueError(f"{file}: {line!r} is no line of a list of host symbols")
    if entry[2] or not members:
        yield Symbol(file, entry[1], parameters=entry[2])
    for word, name, parameters in (member.groups() for member in members):
        yield Symbol(file, entry[1], name or word, parameters, quoted=bool(word))


def _shown(file: Path) -> str:
    """The file with its folder, as several folders have a file of the same name."""
    return file.relative_to(FOLDER).as_posix() if file.is_relative_to(FOLDER) else file.name


def problem(symbol: Symbol) -> str:
    """What is missing or changed, in a sentence; empty if nothing is."""
    try:
        owner = find(symbol.owner)
    except (ImportError, AttributeError) as error:
        return f"{symbol.file}: {symbol.owner} is not there ({error})."
    if symbol.quoted:
        there = symbol.member in _mentioned(owner)
    else:
        there = not symbol.member or hasattr(owner, symbol.member) or _assigned(owner, symbol)
    if not there:
        return f"{symbol.file}: {symbol} is not there."
    if symbol.parameters is None:
        return ""
    given = getattr(owner, symbol.member) if symbol.member else owner
    is_method = inspect.isclass(owner) and inspect.isfunction(given)
    return _changed(symbol, given, is_method=is_method)


def find(dotted: str) -> Any:
    """A module of the host, or what lies in one."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        name = ".".join(parts[:count])
        try:
            found = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
            continue
        return functools.reduce(getattr, parts[count:], found)
    raise ModuleNotFoundError(f"no module {parts[0]}")


def _changed(symbol: Symbol, given: Any, *, is_method: bool) -> str:
    """The parameters before * are passed by place, those after it by name, all others left out."""
    try:
        found = [*inspect.signature(given).parameters.values()][is_method:]
    except (TypeError, ValueError):
        return f"{symbol.file}: {symbol} can no longer be called."
    lambda_ = ast.parse(f"lambda {(symbol.parameters or '')[1:-1]}: 0", mode="eval").body
    assert isinstance(lambda_, ast.Lambda)
    wanted = [argument.arg for argument in lambda_.args.args]
    by_name = {argument.arg for argument in lambda_.args.kwonlyargs}
    places = [
        p.name for p in found if p.kind in (KINDS.POSITIONAL_ONLY, KINDS.POSITIONAL_OR_KEYWORD)
    ]
    kinds = {p.kind for p in found}
    names = {p.name for p in found if p.kind is not KINDS.POSITIONAL_ONLY}
    starred = (KINDS.VAR_POSITIONAL, KINDS.VAR_KEYWORD)
    needed = {p.name for p in found if p.default is p.empty and p.kind not in starred}
    fits = places[: len(wanted)] == wanted[: len(places)]
    fits &= len(wanted) <= len(places) or KINDS.VAR_POSITIONAL in kinds
    fits &= by_name <= names or KINDS.VAR_KEYWORD in kinds
    if fits and needed <= {*wanted, *by_name}:
        return ""
    there = ", ".join(str(p).partition(":")[0].partition("=")[0].strip() for p in found)
    return f"{symbol.file}: {symbol} now takes ({there})."


def _assigned(owner: Any, symbol: Symbol) -> bool:
    """Whether instances of a class get such an attribute by a method of it or of its bases."""
    bases = owner.__mro__[:-1] if inspect.isclass(owner) else ()
    return any(symbol.member in _attributes(base) for base in bases)


@functools.cache
def _attributes(base: type) -> frozenset[str]:
    found: set[str] = {*getattr(base, "__annotations__", ())}
    for node in ast.walk(_tree(base)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            first = node.args[0] if node.args else None
            if node.func.attr.startswith("register_") and isinstance(first, ast.Constant):
                found.add(str(first.value))
    return frozenset(found)


@functools.cache
def _mentioned(owner: Any) -> frozenset[str]:
    """Strings, names of attributes and names of arguments in a module, a class or a function."""
    found: set[str] = set()
    for node in ast.walk(_tree(owner)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            found.add(ast.unparse(node)[2:-1])
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.keyword | ast.arg) and node.arg:
            found.add(node.arg)
    return frozenset(found)


def _tree(owner: Any) -> ast.AST:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(owner)))
    except (OSError, TypeError):  # of a class made in C
        return ast.Module([], [])
