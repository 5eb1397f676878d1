"""What the command line accepts, and how it tells a failure."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from launcher import cli
from launcher.failure import LauncherError


def test_demo_has_an_output_folder_and_no_checkpoint_by_default() -> None:
    options, rest = cli.parse(["demo"])
    assert (options.command, options.workflow, options.checkpoint) == ("demo", None, None)
    assert options.output.name == "output"
    assert rest == []


def test_every_command_takes_an_existing_comfyui() -> None:
    named = [["bench", "compose"], ["convert-embedding", "a.pt"]]
    for command in (["demo"], ["serve"], ["test"], ["train"], ["evaluate"], *named):
        options, _ = cli.parse([*command, "--comfyui", "/somewhere"])
        assert options.comfyui == "/somewhere"


@pytest.mark.parametrize(
    ("arguments", "rest"),
    [
        (
            ["test", "tests/core", "-k", "mask and not slow", "-x"],
            ["tests/core", "-k", "mask and not slow", "-x"],
        ),
        (["train", "--steps", "10"], ["--steps", "10"]),
        (["bench", "compose", "--size", "64"], ["--size", "64"]),
        (["test", "--", "--collect-only"], ["--collect-only"]),
    ],
)
def test_arguments_are_passed_on_unchanged(arguments: list[str], rest: list[str]) -> None:
    assert cli.parse(arguments)[1] == rest


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["demo", "--colour"],
        ["serve", "--port", "0"],
        ["serve", "--port", "x"],
        ["figures", "--collages", "-1"],
        ["figures", "--collages", "many"],
        ["bench"],
        ["convert-embedding"],
        ["convert-embedding", "a.pt", "b.pt"],
    ],
)
def test_wrong_usage_ends_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.parse(arguments)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            LauncherError("The disk is full", Path("/logs/a.log")),
            "The disk is full. The log is /logs/a.log",
        ),
        (KeyboardInterrupt(), "Stopped before it was done"),
        (OSError(28, "No space left on device", "/x/y"), "No space left on device (/x/y)"),
    ],
)
def test_a_failure_is_one_sentence_and_status_1(
    error: BaseException,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_options: argparse.Namespace, _rest: list[str]) -> int:
        raise error

    monkeypatch.setattr(cli, "run", fail)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    assert cli.main(["demo"]) == 1
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) == 1


NONSENSE = [
    (["demo", "--workflow", "nowhere.json"], r"The workflow nowhere\.json cannot be read"),
    (["demo", "--output", __file__], r"The system refused: .*test_cli\.py"),
    (["demo", "--comfyui", "nowhere"], "nowhere is no ComfyUI folder"),
    (["serve", "--comfyui", ""], "an empty name is no ComfyUI folder"),
    (["figures", "--output", __file__], r"The system refused: .*test_cli\.py"),
    (["convert-embedding", "nowhere.pt"], r"There is no file nowhere\.pt"),
]


@pytest.mark.parametrize(("arguments", "words"), NONSENSE, ids=str)
def test_nonsense_ends_in_one_sentence(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    assert cli.main(arguments) == 1
    told = capsys.readouterr().err
    assert re.search(words, told)
    assert len(told.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["test", "train", "bench", "figures", "gpu"])
def test_a_copy_without_the_developers_folders_says_so(command: str, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    with pytest.raises(LauncherError, match=f"no {cli.NEEDS[command]} folder"):
        cli.require_folder(command, tmp_path)
    cli.require_folder(command)
    cli.require_folder("demo", tmp_path)
