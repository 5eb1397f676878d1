"""run.py itself: the check that an old Python must be able to read and to fail."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import run

RUN = Path(run.__file__)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 0), (3, 10, 14)])
def test_an_old_python_is_told_what_to_do(version: tuple[int, int, int]) -> None:
    sentence = run.wrong_python(version)
    assert "3.11" in sentence
    assert f"{version[0]}.{version[1]};" in sentence
    assert "python3.11 run.py demo" in sentence


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (4, 0, 0)])
def test_a_new_python_passes(version: tuple[int, int, int]) -> None:
    assert run.wrong_python(version) == ""


def test_run_is_readable_by_an_old_python() -> None:
    source = RUN.read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 4))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr)
    assert not [node for node in ast.walk(tree) if isinstance(node, newer)]
    assert all(not isinstance(node, ast.ImportFrom) for node in tree.body)
