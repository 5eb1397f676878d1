"""`run.py gpu --pack`: a folder with everything that a GPU machine without network needs.

Such a machine has a Python with torch and the usual packages of its image (`IMAGE`). The folder
contains this pack, the parts of ComfyUI for pictures, and a wheel of every other package of
host.lock, except for packages that the server can do without (`LEFT_OUT`).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from launcher.environment import HOST_LOCK, TEST_LOCK
from launcher.failure import LauncherError
from launcher.host import Host
from launcher.paths import REPO, new_log
from launcher.process import run_logged, say
from launcher.tools import find_pip, find_uv

MEBIBYTE = 2**20
MOST = 64 * MEBIBYTE
MARK = "gpu_pack.txt"  # in the folder; its lines say what was packed
PYTHON = "3.12"
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (34, 31, 28, 24, 17, 12, 5)]
PLATFORMS += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]

OURS = (
    *("__init__.py", "run.py", "pyproject.toml", "LICENSE", "collage_core", "demo", "launcher"),
    *("locales", "nodes", "tools", "web", "tests/conftest.py", "tests/gpu"),
    *("workflows/api", "workflows/input"),
)
HOSTS = (
    *("alembic_db", "api_server", "app", "comfy", "comfy_api", "comfy_config", "comfy_execution"),
    *("comfy_extras", "middleware", "utils", "alembic.ini", "requirements.txt", "*.py"),
)
APART = "demo_model.safetensors"  # half of what a machine that is lent takes at once
NOT_PACKED = (
    *("__pycache__", "*.pyc", "docs"),
    "*_tokenizer",  # of other text encoders
    APART,
    "demo_transformer.safetensors",  # nothing that runs there paints with it
)
SD1 = "comfy/sd1_tokenizer"
CODE = "comfy/ldm/cosmos/cosmos_tokenizer"  # is none

# Packages of an image with torch, by module where that has another name.
IMAGE = {
    "torch": "", "torchaudio": "", "torchvision": "", "triton": "", "numpy": "", "scipy": "",
    "pillow": "PIL", "safetensors": "", "transformers": "", "tokenizers": "",
    "huggingface-hub": "huggingface_hub", "regex": "", "sentencepiece": "", "sympy": "",
    "networkx": "", "setuptools": "", "pygments": "",
}  # fmt: skip
# Too large for what the server needs of them, or nothing that it needs.
LEFT_OUT = (
    *("av", "comfy-angle", "pyopengl", "hf-xet", "comfyui-frontend-package"),
    *("comfyui-embedded-docs", "httpcore2", "httpx2", "truststore"),
)
PURE = ("comfy-kitchen",)  # 150 kB without its kernels, which are for quantised weights
TESTS = ("pytest", "pluggy", "iniconfig", "packaging")

AV = '''"""In the place of PyAV, which is left out for its size.

ComfyUI names parts of it when it starts. Nodes that use them raise ImportError.
"""

import importlib.abc
import importlib.machinery
import sys
import types


class Absent:
    def __init__(self, *_, **__):
        raise ImportError("PyAV is left out of this folder; install av to load pictures and films")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (Absent,), {})


class Parts(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if not name.startswith("av."):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = __getattr__
        return module

    def exec_module(self, module):
        pass


sys.meta_path.append(Parts())
'''


def pack(host: Host, folder: Path) -> int:
    """Fill the folder and print how to use it; LauncherError if it is larger than MOST."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise LauncherError(f"{folder} holds other files; give --output an empty folder.")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    say("Packing this pack and ComfyUI.")
    _copy(REPO, folder, OURS)
    _copy(host.comfyui, folder / "ComfyUI", HOSTS)
    for kept in (SD1, CODE):
        _copy(host.comfyui, folder / "ComfyUI", (f"{kept}/*",))
    log = new_log("gpu-pack")
    names = wheels_needed(_resolved(HOST_LOCK, log)) + [
        line for line in _resolved(TEST_LOCK, log) if _name(line) in TESTS
    ]
    _download([line for line in names if _name(line) not in PURE], folder / "wheels", log)
    _download([line for line in names if _name(line) in PURE], folder / "wheels", log, pure=True)
    (folder / MARK).write_text("\n".join(sorted(set(names))) + "\n")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size > MOST:
        raise LauncherError(f"The folder holds {size / MEBIBYTE:.0f} MiB, and 64 are the most.")
    say(
        f"{folder} holds {size / MEBIBYTE:.0f} MiB. Take it to the machine with the GPU, and there:"
    )
    say(f"  demo/weights/{APART} of this checkout, copied to the same place in it; then")
    say(f"  cd {folder.name} && python3 run.py gpu --output results")
    return 0


def wheels_needed(lock: Iterable[str]) -> list[str]:
    """The packages of a lock, as name==version, that the folder needs."""
    apart = {*IMAGE, *LEFT_OUT}
    skipped = ("nvidia-", "comfyui-workflow-templates")
    return [x for x in lock if _name(x) not in apart and not x.startswith(skipped)]


def _name(line: str) -> str:
    return line.partition("==")[0]


def _resolved(lock: Path, log: Path) -> list[str]:
    """The lines of a lock for the Python and the system of such a machine."""
    found = log.with_suffix(".txt")
    command = [*find_uv(log), "pip", "compile", "--no-deps", "--no-header", "--no-annotate"]
    command += ["--python-version", PYTHON, "--python-platform", "x86_64-manylinux_2_28"]
    run_logged([*command, "--output-file", str(found), str(lock)], "reading the lock", log)
    return [line for line in found.read_text().splitlines() if "==" in line]


def _download(names: list[str], folder: Path, log: Path, *, pure: bool = False) -> None:
    command = [*find_pip(log), "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--implementation", "cp", "--python-version", PYTHON, "--dest", str(folder)]
    for platform in ["any"] if pure else PLATFORMS:
        command += ["--platform", platform]
    run_logged([*command, *names], "fetching packages", log)


def _copy(source: Path, target: Path, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        for path in sorted(source.glob(pattern)):
            if path.name in NOT_PACKED:
                continue
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                ignored = shutil.ignore_patterns(*NOT_PACKED)
                shutil.copytree(path, place, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copyfile(path, place)


def is_packed(folder: Path) -> bool:
    return (folder / MARK).is_file()


def packed_host(folder: Path) -> Host:
    """The host in such a folder, run by this Python with the wheels that it lacks."""
    if not is_packed(folder):
        raise LauncherError(f"{folder} is no folder that `run.py gpu --pack` made.")
    modules = {module or name: name for name, module in IMAGE.items()}
    missing = [name for module, name in modules.items() if not importlib.util.find_spec(module)]
    if missing:
        raise LauncherError(
            f"This Python has no {', '.join(missing)}; start run.py with the Python that has torch "
            "and the packages that images with torch have."
        )
    return Host(
        folder / "ComfyUI",
        Path(sys.executable),
        private=True,
        site=_lay_out(folder / "wheels", folder / "site"),
        page=folder / "page",
    )


def _lay_out(wheels: Path, site: Path) -> Path:
    """Unpack every wheel whose package this Python does not have already."""
    done = site / "complete.txt"
    if done.is_file() and done.read_text() == sys.version:
        return site
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir()
    for wheel in sorted(wheels.glob("*.whl")):
        if not any(importlib.metadata.distributions(name=wheel.name.split("-")[0])):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
    if not importlib.util.find_spec("av"):
        (site / "av").mkdir()
        (site / "av" / "__init__.py").write_text(AV)
    page = wheels.parent / "page"
    page.mkdir(exist_ok=True)
    (page / "index.html").write_text("<!doctype html><title>no page</title>\n")
    done.write_text(sys.version)
    return site
