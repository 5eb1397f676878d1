"""Who may import what: the core stands alone, and only nodes/host reaches into ComfyUI."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).absolute().parents[2]
HOST = {
    "comfy",
    "comfy_extras",
    "folder_paths",
    "latent_preview",
    "node_helpers",
    "nodes",
    "server",
}


def imports(path: Path, package: str = "") -> set[str]:
    """Every module a file imports, anywhere in it; relative ones as `package` resolves them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -node.level + 1 or None] if node.level else []
            module = ".".join(filter(None, [*parents, node.module]))
            found |= {f"{module}.{alias.name}" for alias in node.names} if node.level else {module}
    return found


def top(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def test_imports_are_read_wherever_they_stand(tmp_path: Path):
    file = tmp_path / "x.py"
    file.write_text(
        "import a.b\nfrom c.d import e\nfrom . import f\nfrom .. import g\nfrom ..h import i\n"
        "def x():\n    import j\n"
    )
    expected = {"a.b", "c.d", "pack.nodes.f", "pack.g", "pack.h.i", "j"}
    assert imports(file, "pack.nodes") == expected


@pytest.mark.parametrize(
    "path", sorted((REPO / "collage_core").glob("**/*.py")), ids=lambda p: p.name
)
def test_the_core_imports_torch_einops_and_the_standard_library_alone(path: Path):
    allowed = {*sys.stdlib_module_names, "torch", "einops", "core"}
    folder = path.parent.relative_to(REPO / "collage_core")
    if folder.name == "storage":  # torch and ComfyUI bring both
        allowed |= {"filelock", "safetensors"}
    if path.name.startswith("psd"):  # in the room of files
        allowed |= {"numpy", "PIL", "psd_tools"}
    if path.name == "lettering.py":
        allowed |= {"PIL"}
    assert top(imports(path, ".".join(["core", *folder.parts]))) <= allowed


@pytest.mark.parametrize("path", sorted((REPO / "nodes").glob("*.py")), ids=lambda p: p.name)
def test_nodes_are_thin(path: Path):
    found = imports(path, "pack.nodes")
    allowed = {*sys.stdlib_module_names, "torch", "comfy_api", "pack"}
    if path.name == "noise_preview.py":  # it draws a legend
        allowed |= {"numpy", "PIL"}
    assert top(found) <= allowed
    inside = {name for name in found if name.startswith("pack.")}
    assert all(name.startswith(("pack.collage_core.", "pack.nodes.")) for name in inside)


def test_only_nodes_host_reaches_into_comfyui():
    files = [*REPO.glob("*.py"), *(REPO / "collage_core").glob("**/*.py")]
    files += [
        path
        for path in (REPO / "nodes").glob("**/*.py")
        if "host" not in path.relative_to(REPO).parts
    ]
    assert {path.name for path in files if top(imports(path, "pack")) & HOST} == set()


FOLDERS = [
    file.parent
    for top in ("collage_core", "nodes/host", "demo", "launcher", "tools")
    for file in sorted((REPO / top).glob("**/__init__.py"))
]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.relative_to(REPO).as_posix())
def test_every_package_has_a_map_of_what_it_holds(folder: Path):
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    _, _, rows = text.partition("\nRooms" if "\nRooms" in text else "\nModules")
    rows = rows.partition("\n\n")[0].splitlines()[1:]
    held = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    named = {name for name in held if not name.startswith("__")}
    assert sorted(row.split()[0] for row in rows) == sorted(named)


def test_no_node_of_comfyui_is_called():
    """Their inputs and answers are for the page; the host moves them from class to class."""
    files = (REPO / "nodes" / "host").glob("**/*.py")
    assert {path.name for path in files if top(imports(path)) & {"nodes", "comfy_extras"}} == set()


def test_the_core_loads_without_comfyui():
    every = (REPO / "collage_core").glob("**/[!_]*.py")
    files = (
        path.relative_to(REPO) for path in every if not path.name.startswith(("psd", "lettering"))
    )
    modules = [".".join(file.with_suffix("").parts) for file in files]
    code = (
        "import importlib, sys\n"
        f"sys.path.insert(0, {str(REPO)!r})\n"
        f"blocked = {sorted(HOST - {'nodes'} | {'comfy_api', 'numpy', 'PIL'})!r}\n"
        "sys.modules.update(dict.fromkeys(blocked))\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print('loaded', len(set({modules!r}) & sys.modules.keys()))\n"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"loaded {len(modules)}", done.stderr
