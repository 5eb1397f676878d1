"""`run.py gpu`: its budgets, its files, the folder for bare machines, and a rehearsal."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from launcher import cli, gpu, gpu_pack
from launcher.failure import LauncherError
from launcher.host import Host, find_host

REPO = Path(__file__).parents[2]
HOST = Host(Path("/comfyui"), Path(sys.executable), private=True)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run parts that are lines of Python; -> what gpu.json says of them."""
    monkeypatch.setattr(gpu, "HOST_DIR", tmp_path / "host")
    monkeypatch.setattr(gpu, "_environ", lambda *_, **__: dict(os.environ))
    monkeypatch.setattr(Host, "module", lambda _self, name, *_: [sys.executable, "-c", name])

    def parts(*given: gpu.Part, minutes: float = 1.0, folder: Path = tmp_path / "out") -> dict:
        monkeypatch.setattr(gpu, "_parts", lambda *_args, **_kwargs: iter(given))
        gpu.run_gpu(HOST, argparse.Namespace(output=folder, rehearse=False, minutes=minutes))
        return json.loads((folder / "gpu.json").read_text())

    return parts


def part(name: str, code: str, seconds: float = 20, **more) -> gpu.Part:
    return gpu.Part(name, code, [], seconds, **more)


def test_parts_run_in_turn_and_say_what_they_found(run, tmp_path: Path) -> None:
    figures = tmp_path / "host" / "gpu" / "figures.jsonl"
    write = (
        f"open({str(figures)!r}, 'a').write('{{\"name\": \"peak\", \"MB\": 12.5}}\\n'); print('ok')"
    )
    found = run(part("first", write), part("second", "print('well')"))
    assert [p["outcome"] for p in found["parts"]] == ["done", "done"]
    assert found["figures"] == [{"name": "peak", "MB": 12.5}]
    text = (tmp_path / "out" / "gpu.md").read_text()
    assert "- peak: MB 12.5\n" in text
    assert "## second\n\n```\nwell\n```" in text
    assert "== first: done\nok" in (tmp_path / "out" / "gpu.log").read_text()


def test_one_that_fails_costs_the_others_nothing(run, tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match=r"Not done: first \(failed\)\. See .*gpu\.log\."):
        run(part("first", "raise SystemExit(3)"), part("second", "print('well')"))
    found = json.loads((tmp_path / "out" / "gpu.json").read_text())
    assert [p["outcome"] for p in found["parts"]] == ["failed", "done"]


def test_a_part_is_ended_when_its_time_is_up(run, tmp_path: Path) -> None:
    slow = "import time; print('begun', flush=True); time.sleep(60)"
    found = run(part("training", slow, 2, cut_off=True), part("last", "print(1)"))
    assert [p["outcome"] for p in found["parts"]] == ["cut off", "done"]
    assert "begun" in (tmp_path / "out" / "gpu.log").read_text()
    with pytest.raises(LauncherError, match=r"tests \(out of time\)"):
        run(part("tests", slow, 2))


def test_all_that_is_left_is_used_up_but_for_the_packing(run) -> None:
    """Of 20 seconds 15 are for the end, so the training gets two and the packing three."""
    slow = "import time; time.sleep(60)"
    training = part("diffusion", slow, gpu.ALL_LEFT, cut_off=True)
    found = run(training, part("pack", "print(1)", 3), minutes=20 / 60)
    assert found["parts"][0]["outcome"] == "cut off"
    assert found["parts"][0]["seconds"] < 5
    assert found["parts"][1]["outcome"] == "done"


def test_a_training_is_told_its_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "HOST_DIR", tmp_path)
    (tmp_path / "gpu").mkdir()
    monkeypatch.setattr(Host, "module", lambda _self, name, *rest: ["echo", name, *rest])
    part = gpu.Part("cool", "demo.train", ["--seconds", "{seconds}"], 0)
    gpu._run(HOST, part, dict(os.environ), 400)
    expected = f"demo.train --seconds {400 - gpu.TO_START}\n"
    assert (tmp_path / "gpu" / "cool.log").read_text() == expected


def test_no_part_begins_without_time(run) -> None:
    found = run(part("late", "print(1)"), minutes=0.2)
    assert found["parts"] == [{"name": "late", "outcome": "no time left", "seconds": 0.0}]


def test_large_weights_come_back_in_pieces(run, tmp_path: Path, monkeypatch) -> None:
    """And only what is not as it is here."""
    weights = tmp_path / "host" / "gpu" / "training" / gpu.WEIGHTS / "demo_model.safetensors"
    judge = REPO / gpu.WEIGHTS / "judge.safetensors"
    code = f"import pathlib, shutil; p = pathlib.Path({str(weights)!r}); "
    code += "p.parent.mkdir(parents=True); p.write_bytes(b'abcdefg'); "
    code += f"shutil.copy({str(judge)!r}, p.parent); p.with_name('log.jsonl').write_text('{{}}')"
    monkeypatch.setattr(gpu, "PIECE", 3)
    run(part("pack", code))
    out = tmp_path / "out"
    pieces = sorted(out.glob("demo_model.safetensors.*"))
    assert b"".join(piece.read_bytes() for piece in pieces) == b"abcdefg"
    assert len(pieces) == 3
    assert (out / "log.jsonl").read_text() == "{}"
    assert not list(out.glob("judge*"))


def test_trainings_touch_no_state_but_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "training"
    parts = list(gpu.trainings(HOST, folder, gpu.TRAINING))
    assert len(parts) == len(gpu.TRAINING)
    for made in parts:
        assert made.folder == folder
        assert made.environ["XDG_CACHE_HOME"] == str(folder)
        assert str(REPO) not in made.environ["PYTHONPATH"].split(os.pathsep)
    assert (folder / "demo" / "train" / "__main__.py").is_file()


def test_every_training_of_the_table_is_one_of_the_command() -> None:
    comfyui = os.environ.get("COMFYUI_PATH")
    if not comfyui:
        pytest.skip("COMFYUI_PATH is not set; start with: python3 run.py test")
    command = [sys.executable, "-P", "-m", "demo.train", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPO).stdout
    for _, arguments, _ in (*gpu.TRAINING, *gpu.REHEARSED):
        _, stage, *options = arguments.split()
        assert f"{stage}," in told or f",{stage}" in told
        assert all(option in told for option in options[::2]), arguments


def test_wheels_are_what_an_image_with_torch_lacks() -> None:
    lock = ["torch==2.9.1", "nvidia-nccl-cu12==2.27.5", "torchsde==0.2.6", "av==19.0.2"]
    lock += ["comfyui-workflow-templates-core==0.3", "kornia==0.9.0", "comfy-aimdo==0.4.11"]
    needed = ["torchsde==0.2.6", "kornia==0.9.0", "comfy-aimdo==0.4.11"]
    assert gpu_pack.wheels_needed(lock) == needed


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the real pack and the real ComfyUI, and one wheel in the place of all."""

    def download(names: list[str], folder: Path, _log: Path, pure: bool = False) -> None:
        if not pure:
            with zipfile.ZipFile(folder / "gpu_test_wheel-1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr("gpu_test_wheel.py", "HERE = True\n")

    monkeypatch.setattr(gpu_pack, "_resolved", lambda _lock, _log: ["kornia==0.9.0"])
    monkeypatch.setattr(gpu_pack, "_download", download)
    comfyui = os.environ.get("COMFYUI_PATH")
    if not comfyui:
        pytest.skip("COMFYUI_PATH is not set; start with: python3 run.py test")
    folder = tmp_path / "gpu_pack"
    assert gpu_pack.pack(Host(Path(comfyui), Path(sys.executable), private=True), folder) == 0
    return folder


def test_the_folder_holds_pack_host_and_wheels(packed: Path) -> None:
    for name in (
        "run.py",
        "nodes/host/sampling/ksampler.py",
        "tests/gpu/test_device.py",
        "ComfyUI/main.py",
    ):
        assert (packed / name).is_file(), name
    assert (packed / "ComfyUI/comfy/sd1_tokenizer/vocab.json").is_file()
    assert not list(packed.glob("**/__pycache__"))
    size = sum(file.stat().st_size for file in packed.rglob("*") if file.is_file())
    assert size < 25 * gpu_pack.MEBIBYTE, "24 of 64 are for wheels"


def test_a_machine_lays_out_what_it_lacks(packed: Path, monkeypatch) -> None:
    monkeypatch.setattr(gpu_pack.importlib.util, "find_spec", lambda name: name != "av")
    host = find_host(str(packed / "ComfyUI"))
    assert host.site == packed / "site"
    site = packed / "site"
    assert (site / "gpu_test_wheel.py").is_file()
    assert host.environ()["PYTHONPATH"].split(os.pathsep)[-1] == str(site)
    code = "from av.container import Film; import av; print(Film); av.open('x.png')"
    run = [sys.executable, "-c", code]
    told = subprocess.run(run, env={"PYTHONPATH": str(site)}, capture_output=True, check=False)
    assert b"Film" in told.stdout
    assert b"PyAV is left out of this folder" in told.stderr
    (site / "gpu_test_wheel.py").unlink()
    gpu_pack.packed_host(packed)
    assert not (site / "gpu_test_wheel.py").exists(), "it is done once"


def test_a_python_without_torch_is_told(packed: Path, monkeypatch) -> None:
    monkeypatch.setattr(gpu_pack.importlib.util, "find_spec", lambda name: name != "torch")
    with pytest.raises(LauncherError, match="This Python has no torch; start run"):
        gpu_pack.packed_host(packed)


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(LauncherError, match="holds other files"):
        gpu_pack.pack(HOST, tmp_path)
    with pytest.raises(LauncherError, match="is no folder that"):
        gpu_pack.packed_host(tmp_path)


def test_the_command_line() -> None:
    options, _ = cli.parse(["gpu", "--rehearse", "--output", "/x", "--minutes", "9"])
    assert (options.rehearse, options.output, options.minutes) == (True, Path("/x"), 9.0)
    options, _ = cli.parse(["gpu", "--pack", "--from-pack", "/y"])
    assert (options.pack, options.from_pack) == (True, Path("/y"))


@pytest.mark.slow
def test_a_rehearsal_runs_every_part(tmp_path: Path) -> None:
    if not os.environ.get("COMFYUI_PATH"):
        pytest.skip("COMFYUI_PATH is not set; start with: python3 run.py test")
    command = [sys.executable, str(REPO / "run.py"), "gpu", "--rehearse", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert {part["outcome"] for part in found["parts"]} == {"done"}
    names = {figure["name"] for figure in found["figures"] if "name" in figure}
    assert {"bias against the CPU", "torch.compile", "learned and painted"} <= names
    assert found["attention"]["models"]
