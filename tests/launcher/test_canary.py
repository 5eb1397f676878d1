"""The canary: what it runs, what it says, and how it gets the newest page."""

from __future__ import annotations

from pathlib import Path

import pytest

from launcher import canary, checks, cli, server
from launcher.failure import LauncherError
from launcher.host import Host

HOST = Host(Path("/comfyui"), Path("/python"), private=False)


def put_page(folder: Path, version: str) -> None:
    (folder / f"comfyui_frontend_package-{version}.dist-info").mkdir(parents=True)
    static = folder / "comfyui_frontend_package" / "static"
    static.mkdir(parents=True)
    (static / "index.html").touch()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """What would be run, with the status that `fails` gives it."""
    made: list[tuple] = []
    fails: set[str] = set()

    def module(_host, name: str, _arguments) -> int:
        made.append((name, {}))
        return int(name in fails)

    def tests(_host, arguments: list[str], **environ: str) -> int:
        made.append((arguments[0], environ))
        return int(arguments[0] in fails)

    monkeypatch.setattr(checks, "run_module", module)
    monkeypatch.setattr(checks, "run_tests", tests)
    page = canary.Frontend("9.9.9", tmp_path)
    monkeypatch.setattr(canary, "fetch_frontend", lambda _version: page)
    return made, fails


def test_symbols_contract_and_page_are_looked_at(calls, tmp_path: Path) -> None:
    made, _ = calls
    assert canary.run_canary(HOST, None) == 0
    assert made == [
        ("tools.canary", {}),
        ("tests/host/test_contract.py", {}),
        ("tests/browser", {"COLLAGE_FRONTEND": str(tmp_path)}),
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tools.canary", "host symbols"),
        ("tests/host/test_contract.py", "contract of the nodes"),
        ("tests/browser", "page 9.9.9"),
    ],
)
def test_whatever_fails_is_named_and_the_rest_is_run(calls, name: str, words: str) -> None:
    made, fails = calls
    fails.add(name)
    with pytest.raises(LauncherError, match=f"Not as it was: {words} "):
        canary.run_canary(HOST, None)
    assert len(made) == 3


def test_a_page_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = []

    def fetch(command: list[str], _doing: str, _log: Path) -> None:
        commands.append(command)
        put_page(Path(command[command.index("--target") + 1]), "1.2.3")

    monkeypatch.setattr(canary, "run_logged", fetch)
    monkeypatch.setattr(canary, "find_uv", lambda _log: ["uv"])
    monkeypatch.setattr(canary, "new_log", lambda _name: tmp_path / "a.log")
    newest = canary.fetch_frontend(None, tmp_path)
    assert (newest.version, newest.root.parent.parent) == ("1.2.3", tmp_path / "1.2.3")
    assert commands[0][-1] == "comfyui-frontend-package"
    assert canary.fetch_frontend("1.2.3", tmp_path) == newest
    assert len(commands) == 1
    canary.fetch_frontend("1.2.4", tmp_path)
    assert commands[1][-1] == "comfyui-frontend-package==1.2.4"


def test_a_folder_without_a_page_is_told(tmp_path: Path) -> None:
    (tmp_path / "1.0").mkdir()
    with pytest.raises(LauncherError, match=r"1\.0 holds no page"):
        canary.fetch_frontend("1.0", tmp_path)


@pytest.mark.parametrize("page", ["", "/pages/1.2.3"])
def test_a_server_serves_the_page_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    seen: list[list[str]] = []

    def start(command: list[str], *_rest) -> None:
        seen.append(command)
        raise LauncherError("far enough")

    monkeypatch.setenv("COLLAGE_FRONTEND", page)
    monkeypatch.setattr(server, "Server", start)
    monkeypatch.setattr(server, "must_use_cpu", lambda _host: True)
    monkeypatch.setattr(server, "new_log", lambda _name: tmp_path / "a.log")
    with pytest.raises(LauncherError, match="far enough"):
        server.start_server(HOST, tmp_path)
    told = seen[0][seen[0].index("--front-end-root") + 1] if page else ""
    assert told == page
    assert ("--front-end-root" in seen[0]) == bool(page)


def test_the_command_line() -> None:
    options, _ = cli.parse(["canary", "--comfyui", "/x", "--frontend", "1.58.1"])
    assert (options.comfyui, options.frontend) == ("/x", "1.58.1")
    assert cli.parse(["canary"])[0].frontend is None
