"""Lock files, stamps, and an environment that is there whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from launcher import comfyui_source, environment, host
from launcher.failure import LauncherError

PINNED = re.compile(r"[A-Za-z0-9_.-]+==[^\s;*<>=~!]+( ; .+)?")


def requirements(lock: Path) -> list[str]:
    return [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("lock", [environment.HOST_LOCK, environment.TEST_LOCK])
def test_a_lock_names_exact_versions_and_nothing_else(lock: Path) -> None:
    assert requirements(lock)
    assert [line for line in requirements(lock) if not PINNED.fullmatch(line)] == []


def test_the_torch_packages_match_and_what_comfyui_needs_is_there() -> None:
    lines = requirements(environment.HOST_LOCK)
    assert {"torch==2.9.1", "torchvision==0.24.1", "torchaudio==2.9.1"} <= set(lines)
    assert any(line.startswith("torchsde==") for line in lines)  # ComfyUI's SDE samplers import it


def test_the_locks_agree_on_what_they_share() -> None:
    def versions(lock: Path) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in requirements(lock):
            name, version = line.split(" ;")[0].split("==")
            found.setdefault(name, set()).add(version)
        return found

    ours, tests = versions(environment.HOST_LOCK), versions(environment.TEST_LOCK)
    shared = ours.keys() & tests.keys()
    assert shared
    assert {name for name in shared if not tests[name] <= ours[name]} == set()


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
