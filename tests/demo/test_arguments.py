"""What the measurements cannot use is told before any of them starts."""

from __future__ import annotations

import importlib
import sys

import pytest

NONSENSE = [
    "bench.queue --prompts 1",
    "bench.queue --first 0",
    "bench.editor --repetitions 1",
    "bench.world --scenes many",
    "bench.inversion --objects 0",
    "bench.inversion --workers -1",
    "bench.samplers --steps 0",
    "bench.attention --rounds 0",
    "bench.attention --size 7",
    "bench.attention --layers 1,two",
    "bench.checkpoints --canvas -64",
    "bench.checkpoints --only sd9",
    "evaluate.__main__ prompts --prompts 0",
    "evaluate.__main__ --noise nan",
    "evaluate.__main__ --noise 1.1",
    "evaluate.__main__ --steps x",
    "evaluate.__main__ --sampler eulre",
    "evaluate.__main__ nothing",
]


@pytest.mark.parametrize("line", NONSENSE)
def test_nonsense_ends_in_one_sentence(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module, *arguments = line.split()
    main = importlib.import_module(f"demo.{module}").main
    monkeypatch.setattr(sys, "argv", ["", *arguments])
    with pytest.raises(SystemExit) as stop:
        main(*([] if module.startswith("evaluate") else [arguments]))
    assert stop.value.code == 2
    assert "error: argument" in capsys.readouterr().err.splitlines()[-1]
