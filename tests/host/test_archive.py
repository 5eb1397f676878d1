"""The registry's archive: what `comfy node publish` packs is all that a ComfyUI needs of the pack.

comfy-cli packs the files that git tracks, without those that .comfyignore names.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).absolute().parents[2]
DEVELOPERS = ("tests", "demo/train", "demo/evaluate", "demo/bench", "demo/examples", "demo/world")


def tracked(*arguments: str) -> set[str]:
    git = ["git", "-C", str(REPO), "ls-files", "-z", *arguments]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return {name for name in done.stdout.split("\0") if name}


@pytest.fixture(scope="module")
def archive() -> list[str]:
    files = tracked() - tracked("--cached", "--ignored", f"--exclude-from={REPO / '.comfyignore'}")
    if not files:
        pytest.skip("this copy of the repository is no git checkout")
    return sorted(file for file in files if (REPO / file).exists())


def test_what_only_developers_need_is_left_out(archive: list[str]) -> None:
    assert [file for file in archive if file.startswith((*DEVELOPERS, "demo/judges", "."))] == []
    pictures = [file for file in archive if file.startswith("docs") and not file.endswith(".md")]
    assert pictures == []


@pytest.mark.parametrize("folder", ["collage_core", "nodes", "locales", "web", "workflows"])
def test_what_the_pack_is_made_of_is_in_it(archive: list[str], folder: str) -> None:
    assert {file for file in tracked() if file.startswith(f"{folder}/")} <= {*archive}
    assert {"README.md", "LICENSE", "pyproject.toml", "__init__.py"} <= {*archive}


def test_what_is_in_it_loads_and_holds_the_demo_models(
    pack, archive: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in archive:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPO / file, tmp_path / file)
    name, folders = "archived_pack", [str(tmp_path)]
    spec = importlib.util.spec_from_file_location(
        name, tmp_path / "__init__.py", submodule_search_locations=folders
    )
    assert spec
    assert spec.loader
    unpacked = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, unpacked)
    spec.loader.exec_module(unpacked)
    assert [n.__name__ for n in unpacked.nodes.NODES] == [n.__name__ for n in pack.nodes.NODES]
    for file in archive:
        if file.startswith(("nodes/", "collage_core/")):
            importlib.import_module(".".join([name, *Path(file).with_suffix("").parts]))
    demo_model = unpacked.nodes.host.demo_model.loader
    assert demo_model.load_all()
    assert demo_model.load_control()
