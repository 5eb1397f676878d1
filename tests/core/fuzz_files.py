"""`python fuzz_files.py KIND COUNT`: reads mutated files of a kind, in little memory.

Each of them is read or ends in one CollageError. Prints how many were read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import random
import resource
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

REPO = Path(__file__).absolute().parents[2]
MEMORY = 768 * 2**20


def main(kind: str, count: int) -> None:
    sys.path.insert(0, str(REPO))
    from collage_core.errors import CollageError

    seeds, read = KINDS[kind]()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    chance, good = random.Random(20231014), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        for _ in range(count):
            path.write_bytes(mutated(chance.choice(seeds), chance))
            with contextlib.suppress(CollageError):
                read(path)
                good += 1
    sys.stdout.write(str(good))


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Other bytes in some places, above all at the ends, where the structure is."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        end = min(len(changed), chance.choice([80, 600, len(changed)]))
        at = chance.randrange(end) if chance.random() < 0.6 else -1 - chance.randrange(end)
        kind = chance.random()
        if kind < 0.5:
            changed[at] = chance.randrange(256)
        elif kind < 0.8:
            changed[at] = chance.choice([0, 1, 127, 128, 255])
        else:
            some = slice(at, at + chance.choice([2, 4, 8]))
            changed[some] = bytes([chance.choice([0, 127, 255])] * len(changed[some]))
    if chance.random() < 0.1:
        del changed[chance.randrange(len(changed)) :]
    return bytes(changed)


def zips() -> tuple[list[bytes], Callable[[Path], object]]:
    from collage_core.files.collage_file import read_collage_file

    picture = bytes(range(256))
    name = hashlib.sha256(picture).hexdigest()
    layer = {"id": "mug1", "picture": f"collage/{name}.png", "text": "mug"}
    text = json.dumps({"version": 1, "prompt": "a mug", "layers": [layer]})
    seeds = []
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with tempfile.TemporaryFile() as file:
            with zipfile.ZipFile(file, "w", packing) as archive:
                parts = {"collage.json": text, f"pictures/{name}.png": picture, "preview.png": b""}
                for entry, data in parts.items():
                    archive.writestr(zipfile.ZipInfo(entry), data, packing)
            file.seek(0)
            seeds.append(file.read())
    return seeds, lambda path: list(read_collage_file(path).pictures())


def psds() -> tuple[list[bytes], Callable[[Path], object]]:
    import psd_tools  # noqa: F401  before memory is limited

    from collage_core.files.psd import read_psd

    logging.disable()
    files = [*(REPO / "tests" / "psd").glob("*.ps[db]")]
    return [file.read_bytes() for file in files], lambda path: list(read_psd(path).layers())


KINDS = {"zip": zips, "psd": psds}

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
