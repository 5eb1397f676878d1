"""The `test` command: what runs beside the tests, and what is read last."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from launcher import checks
from launcher.failure import LauncherError
from launcher.host import Host

ERROR = "a.py:1: error"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run programs for a static check and for pytest; the file that both can see is X."""
    programs: dict[str, str] = {}

    class Programs(Host):
        def module(self, name: str, *_: str) -> list[str]:
            return [sys.executable, "-P", "-c", f"X = {str(tmp_path / 'x')!r}; {programs[name]}"]

    def tests(check: str, pytest: str) -> int:
        programs.update(types=check, pytest=pytest)
        host = Programs(tmp_path, Path(sys.executable), private=True)
        return checks.run_tests(host, [])

    monkeypatch.setattr(checks, "test_environ", lambda _: {})
    monkeypatch.setattr(checks, "must_use_cpu", lambda _: True)
    monkeypatch.setattr(checks, "_static_checks", lambda _: [["types", "."]])
    return tests


def test_errors_of_a_static_check_are_read_last(run, capfd: pytest.CaptureFixture[str]) -> None:
    check = f"print({ERROR!r}); raise SystemExit(1)"
    with pytest.raises(LauncherError, match=r"^Not clean: types \. \("):
        run(check, "print('4 passed')")
    assert capfd.readouterr().out.splitlines()[-3:] == ["4 passed", "$ types .", ERROR]


WAIT = """
import pathlib, sys, time
for _ in range(2000):
    if pathlib.Path(X + {!r}).exists(): sys.exit()
    time.sleep(0.01)
sys.exit("nobody came")"""


def test_the_static_checks_run_beside_the_tests(run) -> None:
    """Each waits for what the other does."""
    check = f"open(X + 'check', 'w').close(){WAIT.format('tests')}"
    assert run(check, f"open(X + 'tests', 'w').close(){WAIT.format('check')}") == 0


@pytest.mark.parametrize("status", [0, 1])
def test_the_status_is_that_of_pytest(run, status: int) -> None:
    assert run("pass", f"raise SystemExit({status})") == status


def test_a_static_check_ends_with_the_tests_that_are_stopped(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "_run", stop)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run("import time; time.sleep(60)", "")
    assert time.monotonic() - begun < 40
