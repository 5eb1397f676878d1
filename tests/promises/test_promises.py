"""What SECURITY.md promises, held against the source and against a run of every node."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).absolute().parent
REPO = HERE.parents[1]
COMFYUI = os.environ.get("COMFYUI_PATH")

# promise -> modules that nothing in the pack imports
MODULES = {
    "network": {
        "aiohttp", "asyncio", "ftplib", "http", "httpx", "huggingface_hub", "imaplib", "poplib",
        "requests", "server", "smtplib", "socket", "socketserver", "ssl", "urllib", "webbrowser",
        "xmlrpc",
    },
    "pickles": {"_pickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"},
    "programs": {"ctypes", "multiprocessing", "pty", "runpy", "subprocess"},
}  # fmt: skip
# promise -> functions that nothing in the pack calls
CALLS = {
    "network": {"hub.load", "hub.load_state_dict_from_url"},
    "pickles": {"torch.load", "np.load", "numpy.load", "load_torch_file", "utils.load_torch_file"},
    "programs": {"os.system", "os.popen", "os.fork", "os.startfile", "eval", "exec", "__import__"},
}


def breaches(promise: str, source: str) -> list[str]:
    """The modules and functions in a file that a promise excludes."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if _top(alias.name) in MODULES[promise]]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [node.module] if node.module and _top(node.module) in MODULES[promise] else []
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            ends = {".".join(called.split(".")[-2:]), called}
            found += [called] if ends & CALLS[promise] else []
    return found


def _top(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("promise", MODULES)
def test_the_source_has_nothing_that_could_break_it(promise: str) -> None:
    files = [REPO / "__init__.py"]
    files += [file for name in ("collage_core", "nodes") for file in (REPO / name).rglob("*.py")]
    assert len(files) > 50
    found = {file.name: breaches(promise, file.read_text(encoding="utf-8")) for file in files}
    assert {name: breach for name, breach in found.items() if breach} == {}


@pytest.mark.parametrize(
    ("promise", "source"),
    [
        ("network", "def f():\n    import urllib.request"),
        ("network", "from http.client import HTTPConnection"),
        ("network", "torch.hub.load('a', 'b')"),
        ("pickles", "import pickle as p"),
        ("pickles", "torch.load(f, weights_only=True)"),
        ("pickles", "comfy.utils.load_torch_file(f)"),
        ("programs", "from subprocess import run"),
        ("programs", "eval('1')"),
    ],
)
def test_the_source_is_read_wherever_it_matters(promise: str, source: str) -> None:
    assert len(breaches(promise, source)) == 1
    assert breaches(promise, "import json\nmodel.eval()\nre.compile('')\njson.load(f)") == []


def python(*arguments: str, folder: Path, path: str = "") -> dict[str, list[str]]:
    """Run Python in a folder, for temporary files and as a home, too; the notes it prints last."""
    home = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "USERPROFILE"), str(folder))
    env = {**os.environ, **home, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ComfyUI."""
    folder = tmp_path_factory.mktemp("base")
    for name in ("input", "models/embeddings", "models/loras", "output", "temp"):
        (folder / name).mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a program writes that does not think of where."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def notes(base: Path, elsewhere: Path) -> dict[str, list[str]]:
    """What a run of every node did."""
    if not COMFYUI:
        pytest.skip("COMFYUI_PATH is not set; start with: python3 run.py test")
    path = os.pathsep.join([COMFYUI, str(REPO)])
    return python(str(HERE / "every_node.py"), str(base), folder=elsewhere, path=path)


@pytest.mark.parametrize("promise", MODULES)
def test_no_node_breaks_it(notes, promise: str) -> None:
    assert {"LayerTextualInversion", "PerLayerNoiseKSampler"} < set(notes["ran"])
    assert notes[promise] == []


def test_nodes_write_into_the_folders_for_it_alone(notes, base: Path, elsewhere: Path) -> None:
    folders = ("input/collage", "models/embeddings", "output", "temp")
    allowed = [(base / name).resolve() for name in folders]
    written = {Path(path) for path in notes["writes"]}
    assert any(path.suffix == ".safetensors" for path in written), "nothing was learned"
    assert {p for p in written if not any(p.is_relative_to(folder) for folder in allowed)} == set()
    assert list(elsewhere.iterdir()) == []
    assert {path.name for path in base.iterdir()} == {"input", "models", "output", "temp"}
    assert {path.name for path in (base / "models").iterdir()} == {"embeddings", "loras"}
    assert [path.name for path in (base / "models" / "loras").iterdir()] == ["fox.safetensors"]
    given = {"sushi.png", "sushi.collage.zip", "groups.psd"}
    assert {path.name for path in (base / "input").iterdir()} == {*given, "collage"}
    kept = [*(base / "input" / "collage").iterdir()]
    psd = bool(importlib.util.find_spec("psd_tools"))
    assert len(kept) == 2 + 4 * psd  # of CollageKeepPicture, and of CollageOpenFile's two files
    assert all(one.stem == hashlib.sha256(one.read_bytes()).hexdigest() for one in kept)
    saved = {path.name for path in (base / "output").rglob("*") if path.is_file()}
    assert saved >= {"collage_00001_.collage.zip", *(["x_00001_.psd"] if psd else [])}


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("network", "import socket; socket.create_server(('127.0.0.1', 0))", "socket.bind"),
        ("network", "import socket; socket.getaddrinfo('localhost', 80)", "localhost"),
        ("pickles", "import pickle; pickle.loads(b'cdatetime\\ndate\\n.')", "datetime.date"),
        ("programs", "import subprocess, sys; subprocess.run([sys.executable, '-V'])", "Popen"),
        ("writes", "open('a', 'a')", "elsewhere"),
        ("writes", "import os; os.open('a', os.O_CREAT | os.O_RDWR)", "elsewhere"),
        ("writes", "import os; os.mkdir('b')", "elsewhere"),
        ("writes", "import os; os.rename('b', 'c')", "elsewhere"),
    ],
)
def test_the_watch_notices(tmp_path: Path, kind: str, code: str, words: str) -> None:
    folder = tmp_path / "elsewhere"
    (folder / "b").mkdir(parents=True)
    if "mkdir" in code:
        (folder / "b").rmdir()
    program = f"import json, watch; seen = watch.start(); {code}; print(); print(json.dumps(seen))"
    noted = python("-c", program, folder=folder, path=str(HERE))[kind]
    assert any(words in note for note in noted)


def test_reading_and_waiting_are_not_noticed(tmp_path: Path) -> None:
    code = "asyncio.run(asyncio.sleep(0)); open(watch.__file__).read(); os.listdir('.')"
    program = f"import asyncio, json, os, watch; seen = watch.start(); {code}"
    noted = python("-c", f"{program}; print(json.dumps(seen))", folder=tmp_path, path=str(HERE))
    assert noted == {"writes": [], "network": [], "pickles": [], "programs": []}
