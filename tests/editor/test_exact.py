"""The page's composite beside that of CollageStack: within one 255th, for every case."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from .exact_cases import write_cases

HERE = Path(__file__).parent


def test_composites_are_those_of_python_within_one_byte(node: str, tmp_path: Path) -> None:
    names = write_cases(tmp_path)
    command = [node, str(HERE / "compare_exact.mjs"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    said = json.loads(done.stdout)
    assert [one["name"] for one in said] == names
    assert [one for one in said if one["problems"] or max(one["image"], one["visible"]) > 1] == []
