"""`python fuzz_documents.py COUNT`: reads mutated documents, in little memory.

Each of them ends in a document or in one CollageError. Prints how many were read.
"""

from __future__ import annotations

import contextlib
import copy
import json
import random
import resource
import sys
from pathlib import Path
from typing import Any

REPO = Path(__file__).absolute().parents[2]
MEMORY = 512 * 2**20
ODD = [
    None, True, False, 0, -1, 1.5, 1e308, 10**400, "", "none", "a" * 300, "\ud800", "../a.png",
    "\x00", "x" * 20000, [], [[]], [1, 2], ["k3f9"], {}, {"id": 1}, {"__proto__": 1}, "NaN",
]  # fmt: skip
SIGNS = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\ud800",
    "NaN",
    "1e999",
    "-",
    "0",
    "\ufeff",
    "\x00",
]


def main(count: int) -> None:
    sys.path.insert(0, str(REPO))
    from collage_core.errors import CollageError
    from collage_core.files.document import Document, read_document

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    seeds = [file.read_text("utf-8") for file in (REPO / "tests/documents/valid").glob("*.json")]
    chance, read = random.Random(20231014), 0
    for _ in range(count):
        text = mutated(chance.choice(seeds), chance)
        with contextlib.suppress(CollageError):
            assert isinstance(read_document(text), Document)
            read += 1
    sys.stdout.write(str(read))


def mutated(text: str, chance: random.Random) -> str:
    """Another value somewhere in the tree, or other characters somewhere in the text."""
    if chance.random() < 0.7:
        tree = json.loads(text)
        for _ in range(chance.randint(1, 4)):
            change(tree, chance)
        return json.dumps(tree)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        end = at + chance.choice([0, 1, 1, 5, 50])
        text = text[:at] + chance.choice(SIGNS) * chance.choice([0, 1, 1, 2, 5000]) + text[end:]
    return text


def change(tree: Any, chance: random.Random) -> None:
    """Put something odd into one place of the tree, take it away, or double it."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(tree[key], (dict, list)) and tree[key] and chance.random() < 0.8:
            tree = tree[key]
            continue
        kind = chance.random()
        if kind < 0.7:
            tree[key] = copy.deepcopy(chance.choice(ODD))
        elif kind < 0.8:
            del tree[key]
        elif isinstance(tree, dict):
            tree[chance.choice(["colour", "x" * 500, "id", "edit", "version"])] = copy.deepcopy(
                tree[key]
            )
        else:
            tree.extend(copy.deepcopy([tree[key]] * chance.choice([1, 70])))
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
