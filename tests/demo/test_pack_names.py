"""Programs reach into the loaded pack by attribute, where no import fails after a move."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

from demo.pack import load_pack

REPO = Path(__file__).parents[2]
MENTIONED = re.compile(r"\b(?:nodes\.host|collage_core)(?:\.[A-Za-z_]+)+|(?<=pack\.)nodes[.\w]+")


def find(name: str) -> object:
    found: object = load_pack()
    for part in name.split("."):
        if isinstance(found, ModuleType) and not hasattr(found, part):
            importlib.import_module(f"{found.__name__}.{part}")
        found = getattr(found, part)
    return found


def test_what_programs_mention_of_the_pack_is_there() -> None:
    files = [file for top in ("demo", "tools", "tests/gpu") for file in (REPO / top).rglob("*.py")]
    names = {name for file in files for name in MENTIONED.findall(file.read_text("utf-8"))}
    assert "nodes.host.control.conditioning.find_edges" in names
    for name in names:
        find(name)
