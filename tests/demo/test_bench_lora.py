"""`run.py bench lora` on a narrow model: it checks itself, measures and writes every number."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_way_is_measured(tmp_path: Path) -> None:
    output = tmp_path / "lora.json"
    arguments = f"--tiny --size 64 --rounds 1 --layers 1,2 --ranks 4,8 --output {output}"
    command = [sys.executable, "-P", "-m", "demo.bench", "lora", *arguments.split()]
    run = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    (found,) = json.loads(output.read_text())["models"]
    ways = {f"this pack, rank {rank}" for rank in (4, 8)} | {"ComfyUI's LoRA hooks, rank 4"}
    layers = {f"{way}, {number}" for way in ways for number in ("1 layer", "2 layers")}
    assert set(found["calls"]) == {"unpatched", *layers}
    assert all(row["seconds"][0] > 0 for row in found["calls"].values())
