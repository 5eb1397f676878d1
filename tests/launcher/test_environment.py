"""Lock files, stamps, and an environment that is there whole or not at all."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest

from launcher import comfyui_source, environment, host
from launcher.failure import LauncherError

PINNED = re.compile(r"[A-Za-z0-9_.-]+==[^\s;*<>=~!]+( ; .+)?")


def requirements(lock: Path) -> list[str]:
    return [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]


APART = [environment.TEST_LOCK, environment.BATCH_LOCK, environment.DASHBOARD_LOCK]


@pytest.mark.parametrize("lock", [environment.HOST_LOCK, *APART])
def test_a_lock_names_exact_versions_and_nothing_else(lock: Path) -> None:
    assert requirements(lock)
    assert [line for line in requirements(lock) if not PINNED.fullmatch(line)] == []


def test_the_torch_packages_match_and_what_comfyui_needs_is_there() -> None:
    lines = requirements(environment.HOST_LOCK)
    assert {"torch==2.9.1", "torchvision==0.24.1", "torchaudio==2.9.1"} <= set(lines)
    assert any(line.startswith("torchsde==") for line in lines)  # ComfyUI's SDE samplers import it


@pytest.mark.parametrize("lock", APART, ids=lambda lock: lock.stem)
def test_the_locks_agree_on_what_they_share(lock: Path) -> None:
    def versions(lock: Path) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in requirements(lock):
            name, version = line.split(" ;")[0].split("==")
            found.setdefault(name, set()).add(version)
        return found

    ours, others = versions(environment.HOST_LOCK), versions(lock)
    shared = ours.keys() & others.keys()
    assert shared
    assert {name for name in shared if not others[name] <= ours[name]} == set()


def test_packages_apart_go_into_their_folder_alone_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], doing: str, log: Path) -> None:
        assert (doing, log) != ("", Path())
        commands.append(command)
        folder.mkdir(exist_ok=True)

    commands: list[list[str]] = []
    folder, lock, python = tmp_path / "apart", tmp_path / "some.lock", tmp_path / "python"
    lock.write_text("ray==1\n")
    monkeypatch.setattr(environment, "run_logged", run)
    monkeypatch.setattr(environment, "find_uv", lambda _: ["uv"])
    environment.add_apart(python, lock, folder)
    environment.add_apart(python, lock, folder)
    assert len(commands) == 1
    assert {"--no-deps", "--target", str(folder), "--python", str(python)} <= {*commands[0]}
    (folder / "old").touch()
    lock.write_text("ray==2\n")
    environment.add_apart(python, lock, folder)
    assert len(commands) == 2
    assert not (folder / "old").exists()


def test_a_stamp_holds_only_for_its_own_lock(tmp_path: Path) -> None:
    lock, folder = tmp_path / "a.lock", tmp_path / "venv"
    lock.write_text("torch==1\n")
    folder.mkdir()
    stamp = environment.fingerprint(lock)
    assert not environment.is_installed(folder, stamp)
    (folder / "host.stamp").write_text(stamp)
    assert environment.is_installed(folder, stamp)
    lock.write_text("torch==2\n")
    assert not environment.is_installed(folder, environment.fingerprint(lock))


def test_a_failed_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv = tmp_path / "venv"

    def fail_at_packages(command: list[str], doing: str, log: Path) -> None:
        venv.mkdir(exist_ok=True)
        if doing == "installing packages":
            raise LauncherError("the network is down")

    monkeypatch.setattr(environment, "run_logged", fail_at_packages)
    monkeypatch.setattr(environment, "find_uv", lambda _log: ["uv"])
    with pytest.raises(LauncherError, match="network is down"):
        environment.build_environment(tmp_path / "a.log", venv)
    assert not venv.exists()


def test_a_complete_host_runs_no_command_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv, comfyui = tmp_path / "venv", tmp_path / "ComfyUI"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    (venv / "host.stamp").write_text(environment.fingerprint(environment.HOST_LOCK))
    comfyui.mkdir()
    (comfyui / ".source").write_text(comfyui_source.SHA256)
    assert environment.is_built(venv)
    monkeypatch.setattr(comfyui_source, "FILES", 0)
    assert comfyui_source.is_unpacked(comfyui)

    monkeypatch.setattr(environment, "is_built", lambda: environment_built(venv))
    monkeypatch.setattr(comfyui_source, "is_unpacked", lambda: True)
    monkeypatch.setattr(host, "_build_private_host", lambda: pytest.fail("it built again"))
    assert host.prepare_private_host().private


environment_built = environment.is_built


def test_a_vanished_interpreter_asks_for_a_new_environment(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "host.stamp").write_text(environment.fingerprint(environment.HOST_LOCK))
    (venv / "bin" / "python").symlink_to(tmp_path / "gone")
    assert not environment.is_built(venv)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with one package of two files, as its lock says."""
    lock = tmp_path / "a.lock"
    lock.write_text("# made with ==\nMy.Pack==1.0\nother==2 ; sys_platform == 'none'\n")
    monkeypatch.setattr(environment, "HOST_LOCK", lock)
    monkeypatch.setattr(environment, "VENV", tmp_path / "venv")
    site = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    record = site / "my_pack-1.0.dist-info" / "RECORD"
    record.parent.mkdir(parents=True)
    record.write_text('pack/a.py,sha256=x,7\n"pack/b,c.py",,\npack/__pycache__/a.pyc,,\n')
    (site / "pack").mkdir()
    for name in ("a.py", "b,c.py"):
        (site / "pack" / name).touch()
    (tmp_path / "venv" / "host.stamp").write_text("whole")
    return site


@pytest.mark.parametrize("name", ["pack/a.py", "pack/b,c.py", "my_pack-1.0.dist-info/RECORD"])
def test_a_file_that_is_gone_has_the_environment_built_anew(installed: Path, name: str) -> None:
    private = host.Host(Path("ComfyUI"), Path("python"), private=True)
    host.require_undamaged(private)
    (installed / name).unlink()
    host.require_undamaged(dataclasses.replace(private, private=False))
    with pytest.raises(LauncherError, match=r"lacks 1 of its files, .*; run the command"):
        host.require_undamaged(private)
    assert not (environment.VENV / "host.stamp").exists()


def test_a_package_that_is_gone_is_noticed(installed: Path) -> None:
    shutil.rmtree(installed)
    assert environment.missing_files(environment.VENV) == ["My.Pack"]


def test_a_comfyui_that_lost_files_is_not_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comfyui_source, "FILES", 3)
    for name in ("main.py", "comfy/a.py", "comfy/b.py", "models/x.bin", "comfy/__pycache__/c.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".source").write_text(comfyui_source.SHA256)
    assert comfyui_source.is_unpacked(tmp_path)
    (tmp_path / "comfy" / "b.py").unlink()
    assert not comfyui_source.is_unpacked(tmp_path)
