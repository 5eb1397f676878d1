"""A cell of the table as the value that an input takes, by the host's description of the input."""

from __future__ import annotations

import difflib
import json
import math
from typing import Any

SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
SHOWN = 60  # characters of a value in a message
Spec = tuple[Any, dict[str, Any]]  # kind or list of choices, and the options


class CellError(ValueError):
    """What is wrong with a cell; the caller adds row and column."""


def spec_of(described: Any) -> Spec:
    """Kind and options of an entry of object_info; options may be missing there."""
    kind, *rest = described
    options = rest[0] if rest and isinstance(rest[0], dict) else {}
    if kind == "COMBO" and isinstance(options.get("options"), list):
        return options["options"], options
    return kind, options


def value_of(cell: Any, spec: Spec) -> Any:
    """The cell as a value of this kind. Raises CellError with kind and range."""
    kind, options = spec
    if isinstance(kind, list):
        return _choice(cell, kind)
    if kind in ("INT", "FLOAT"):
        return _number(cell, kind, options)
    if kind == "BOOLEAN":
        return _switch(cell)
    if isinstance(cell, (dict, list)):
        return json.dumps(cell, ensure_ascii=False)  # a document, from JSON lines
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell if isinstance(cell, str) else f"{cell:g}" if isinstance(cell, float) else str(cell)


def shown(cell: Any) -> str:
    text = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def close_to(wanted: str, known: list[str], most: int = 6) -> str:
    """The most similar of the known names, or the first ones, as a part of a sentence."""
    found = difflib.get_close_matches(wanted, known, most, 0.5) or known[:most]
    more = f" and {len(known) - most} more" if found == known[:most] and known[most:] else ""
    return (", ".join(found) or "none") + more


def _number(cell: Any, kind: str, options: dict[str, Any]) -> int | float:
    whole = kind == "INT"
    try:
        number = _read(cell, whole=whole)
    except (TypeError, ValueError, OverflowError) as error:
        what = "a whole number" if whole else "a number"
        raise CellError(f'"{shown(cell)}" is not {what}') from error
    low, high = options.get("min", -math.inf), options.get("max", math.inf)
    if not low <= number <= high:
        raise CellError(f"{shown(cell)} is outside {low:g} to {high:g}")
    return number


def _read(cell: Any, *, whole: bool) -> int | float:
    if isinstance(cell, bool):
        raise TypeError
    if whole and isinstance(cell, str):
        try:
            return int(cell)
        except ValueError:  # a spreadsheet may write 7.0
            cell = float(cell)
    number = cell if isinstance(cell, int) else float(cell)
    if not math.isfinite(number) or (whole and number != int(number)):
        raise ValueError
    return int(number) if whole else float(number)


def _switch(cell: Any) -> bool:
    known = SWITCHES.get(str(cell).strip().lower())
    if known is None:
        raise CellError(f'"{shown(cell)}" is neither true nor false')
    return known


def _choice(cell: Any, choices: list[Any]) -> Any:
    if cell in choices and not isinstance(cell, bool):
        return cell
    for choice in choices:
        if str(choice) == str(cell).strip():
            return choice
    raise CellError(
        f'"{shown(cell)}" is none of the choices; close to it: '
        f"{close_to(str(cell), [str(one) for one in choices])}"
    )
