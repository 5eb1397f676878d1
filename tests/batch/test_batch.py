"""`run.py batch` as a user starts it: real ComfyUIs, real Ray, killed on the way."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image
from pyarrow import parquet

from demo.bench.batch.measured import INPUT, trivial
from launcher.batch import RAY
from tools.batch.journal import NAME, Journal

REPO = Path(__file__).parents[2]
ROWS = 40


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A table of 40 rows; two of them are the same, and the last one is refused by ComfyUI."""
    workflow = trivial()
    workflow["stack"]["inputs"] |= {"width": 512, "height": 512}
    (tmp_path / "workflow.json").write_text(json.dumps(workflow))
    with open(tmp_path / "jobs.csv", "w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(["layer.sushi.x", "stack.width", "name"])
        table.writerows([row / 100, "", "crème"] for row in range(ROWS - 2))
        table.writerows([["0.00", "512", "crème"], ["0.5", "516", ""]])
    begun = [sys.executable, str(REPO / "run.py"), "batch", str(tmp_path / "jobs.csv")]
    begun += ["--workflow", str(tmp_path / "workflow.json"), "--input", str(INPUT)]
    begun += ["--output", str(tmp_path / "out"), "--workers", "1"]
    return [*begun, "--sheet", str(tmp_path / "sheet.png")]


def lines(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="children end with their parent on Linux")
def test_a_table_that_is_killed_goes_on_and_has_every_row_once(
    command: list[str], tmp_path: Path
) -> None:
    journal = tmp_path / "out" / NAME
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not lines(journal):
        assert process.poll() is None
        time.sleep(0.05)
    family = children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 30
    while not all(map(ended, family)):  # Ray, the workers and their servers
        assert time.monotonic() < deadline
        time.sleep(0.1)
    before = lines(journal)
    assert 1 <= before < ROWS - 1
    names = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "out").glob("*.png")}

    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        f"40 rows: {ROWS - 1} to paint, {before} of them done already; 1 row the same"
        in done.stdout
    )
    assert f"Row {ROWS} failed: CollageStack (node stack)" in done.stdout.replace(
        "ComfyUI refused the workflow: ", ""
    )
    entries = Journal(tmp_path / "out").entries
    assert Counter(bool(entry.error) for entry in entries.values()) == {False: ROWS - 2, True: 1}
    pictures = [*(tmp_path / "out").glob("crème-*.png")]
    assert len(pictures) == ROWS - 2
    kept = [name for name in names if (tmp_path / "out" / name).stat().st_mtime_ns == names[name]]
    assert len(kept) >= before
    check_results(tmp_path / "out")
    assert Image.open(tmp_path / "sheet.png").width > 6 * 256


def children(process: int) -> set[int]:
    """Ids of everything that a process has started, and what those have started."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=False
    ).stdout
    parents = {int(own): int(parent) for own, parent in map(str.split, listed.splitlines())}
    found = {process}
    while more := {own for own, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process}


def check_results(folder: Path) -> None:
    with open(folder / "jobs_results.csv", encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]
    assert [row["row"] for row in rows] == [str(number) for number in range(1, ROWS + 1)]
    assert [row["state"] for row in rows] == ["painted"] * (ROWS - 1) + ["failed"]
    assert rows[0]["files"] == rows[-2]["files"]
    assert len({row["files"] for row in rows[:-1]}) == ROWS - 2
    assert all((folder / row["files"]).is_file() for row in rows[:-1])
    assert all(float(row["seconds"]) > 0 and row["worker"] for row in rows[:-1])
    assert "lies outside the canvas" in rows[0]["warnings"]
    assert "516" in rows[-1]["error"]
    table = parquet.read_table(folder / "jobs_results.parquet").to_pylist()
    assert [row["files"] for row in table[:2]] == [[row["files"]] for row in rows[:2]]
    assert table[-1]["stack.width"] == "516"


def test_mistakes_are_told_before_anything_is_started(command: list[str], tmp_path: Path) -> None:
    missing = [part if not part.endswith("jobs.csv") else "gone.csv" for part in command]
    done = subprocess.run(missing, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no table gone.csv; write one")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="the table of sockets is that of Linux")
def test_ray_alone_listens_on_the_loopback_address_with_a_token(tmp_path: Path) -> None:
    """The part of the command that starts Ray, in a process of its own."""
    code = (
        "import os, psutil\n"
        "from tools.batch.cluster import cluster\n"
        "with cluster(None) as ray:\n"
        "    ray.get(ray.remote(lambda: 1).remote())\n"
        "    found = psutil.Process().children(recursive=True)\n"
        "    open_to = {one.laddr.ip.removeprefix('::ffff:') for child in found\n"
        "               for one in child.net_connections('tcp') if one.status == 'LISTEN'}\n"
        "    print(open_to, os.environ['RAY_AUTH_MODE'], len(os.environ['RAY_AUTH_TOKEN']))\n"
    )
    env = {**os.environ, **RAY}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    run = [sys.executable, "-P", "-c", code]
    done = subprocess.run(run, env=env, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.strip() == "{'127.0.0.1'} token 64", done.stderr
