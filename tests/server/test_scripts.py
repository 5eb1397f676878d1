"""The scripts beside the example workflows, as a user starts them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from PIL import Image

from launcher.client import Client
from launcher.demo import make_pictures
from launcher.failure import LauncherError
from launcher.host import find_host
from launcher.server import Server

WORKFLOWS = Path(__file__).parents[2] / "workflows"


def test_a_collage_is_queued_followed_and_fetched(run, tmp_path: Path) -> None:
    done = run("queue_collage.py", "result.png")
    assert (done.returncode, done.stderr) == (0, "")
    steps = [f"step {number} of 3" for number in (1, 2, 3)]
    assert done.stdout.splitlines() == [*steps, "result.png"]
    assert Image.open(tmp_path / "result.png").size == (256, 256)


@pytest.fixture
def twenty_lines(server: Server, quick: Path, tmp_path: Path):
    """Run the twenty lines of the documents on the session's server; what they said."""

    def start() -> subprocess.CompletedProcess:
        script = [sys.executable, str(WORKFLOWS / "api_in_20_lines.py"), server.url]
        command = [*script, str(quick), str(tmp_path / "result.png")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return start


def change(quick: Path, kind: str, **inputs: object) -> None:
    """Set inputs of the workflow's node of a kind; None takes one away."""
    prompt = json.loads(quick.read_text())
    node = next(node for node in prompt.values() if node["class_type"] == kind)
    given = node["inputs"] | inputs
    node["inputs"] = {name: value for name, value in given.items() if value is not None}
    quick.write_text(json.dumps(prompt))


RESULTS = {"collage_result": "collage_3_result", "collage_composite": "last"}
REFUSED = [{"sampler_name": "no such sampler"}, {"scheduler": None}, {"steps": 0}]


@pytest.mark.parametrize("inputs", REFUSED, ids=str)
@pytest.mark.parametrize("script", ["queue_collage.py", "vary_layer.py", "twenty lines", "demo"])
def test_a_part_refused_is_a_failure(
    run, twenty_lines, server: Server, quick: Path, tmp_path: Path, script: str, inputs
) -> None:
    """ComfyUI answers with status 200 and would paint the composite alone."""
    change(quick, "PerLayerNoiseKSampler", **inputs)
    if script == "demo":
        workflow = json.loads(quick.read_text())
        with pytest.raises(LauncherError, match=r"PerLayerNoiseKSampler \(node"):
            make_pictures(find_host(os.environ["COMFYUI_PATH"]), server, workflow, tmp_path / "x")
    else:
        more = ["sushi", "noise", "0.5", "0.6"] if script == "vary_layer.py" else ["result.png"]
        done = twenty_lines() if script == "twenty lines" else run(script, *more)
        assert done.returncode == 1
        assert "PerLayerNoiseKSampler" in done.stderr
        assert "refused" in done.stderr or done.stderr.count("PerLayerNoiseKSampler") == 1
        assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.glob("*.png")) == []


def test_what_fails_in_twenty_lines_is_told(twenty_lines, quick: Path, tmp_path: Path) -> None:
    change(quick, "CollageStack", prompt="an empty table")
    done = twenty_lines()
    assert done.returncode == 1
    assert done.stderr.startswith("No picture: CollageStack")
    assert not (tmp_path / "result.png").exists()


@pytest.mark.parametrize("script", ["queue_collage.py", "twenty lines"])
def test_an_interrupted_workflow_is_a_failure(
    run, twenty_lines, client: Client, quick: Path, tmp_path: Path, script: str
) -> None:
    change(quick, "PerLayerNoiseKSampler", steps=2000)
    found = []
    with ThreadPoolExecutor() as pool:
        start = twenty_lines if script == "twenty lines" else lambda: run(script, "result.png")
        ends = pool.submit(start)
        while not (found := client.get("/queue")["queue_running"]):
            time.sleep(0.1)
        client.cancel(found[0][1])
        done = ends.result()
    assert done.returncode == 1
    assert "interrupted" in done.stderr
    assert not (tmp_path / "result.png").exists()


def pending_beside(client: Client, running: str) -> list[str]:
    """Workflows that wait; the one that is to run waits for a moment, too."""
    return [job[1] for job in client.get("/queue")["queue_pending"] if job[1] != running]


def test_a_workflow_taken_off_the_queue_is_not_waited_for(run, client: Client, quick: Path) -> None:
    change(quick, "PerLayerNoiseKSampler", steps=2000)
    running = client.queue(json.loads(quick.read_text()))
    try:
        with ThreadPoolExecutor() as pool:
            ends = pool.submit(run, "queue_collage.py", "result.png")
            while not (found := pending_beside(client, running)):
                time.sleep(0.1)
            client.cancel(found[0])
            done = ends.result(timeout=60)
    finally:
        client.cancel(running)
    assert done.returncode == 1
    assert "taken off the queue" in done.stderr


def test_twenty_lines_do_the_same(twenty_lines, tmp_path: Path) -> None:
    done = twenty_lines()
    assert (done.returncode, done.stderr) == (0, "")
    assert "step 3 of 3\n" in done.stdout
    assert Image.open(tmp_path / "result.png").size == (256, 256)


@pytest.mark.parametrize("script", ["queue_collage.py", "twenty lines"])
@pytest.mark.parametrize("names", [{"collage_result": "ComfyUI"}, RESULTS], ids=["one", "several"])
def test_a_result_of_any_name_is_fetched(
    run, twenty_lines, client: Client, quick: Path, tmp_path: Path, script: str, names
) -> None:
    """As in a user's workflow with one picture, and in those that save one after each step."""
    prompt = json.loads(quick.read_text())
    for number, node in list(prompt.items()):
        if node["class_type"] == "SaveImage":
            name = node["inputs"]["filename_prefix"] = names.get(node["inputs"]["filename_prefix"])
            if name is None:
                del prompt[number]
    quick.write_text(json.dumps(prompt))
    done = twenty_lines() if script == "twenty lines" else run(script, "result.png")
    assert (done.returncode, done.stderr) == (0, "")
    result = pictures_of_last(client)[names["collage_result"]]
    assert client.request(f"/view?{urlencode(result)}") == (tmp_path / "result.png").read_bytes()


def pictures_of_last(client: Client) -> dict[str, dict[str, str]]:
    """Of the workflow that ended last: the name that a picture was given -> where it is."""
    job = list(client.get("/history").values())[-1]
    made = [image for node in job["outputs"].values() for image in node.get("images", [])]
    return {image["filename"].rpartition("_00")[0]: image for image in made}


def test_the_documents_show_these_lines() -> None:
    lines = (WORKFLOWS / "api_in_20_lines.py").read_text("utf-8").partition("import asyncio")
    shown = (WORKFLOWS.parent / "docs" / "automation.md").read_text("utf-8")
    assert f"```python\nimport asyncio{lines[2]}```" in shown


def test_it_brings_its_pictures_and_replaces_none_of_that_name(
    run, server: Server, client: Client, tmp_path: Path
) -> None:
    other = tmp_path / "other.png"
    Image.new("RGBA", (8, 8), "red").save(other)
    client.upload_image(other, "collage_bento_rice.png")
    try:
        assert run("queue_collage.py", "result.png").returncode == 0
        view = "/view?type=input&filename=collage_bento_rice"
        own = (WORKFLOWS / "input" / "collage_bento_rice.png").read_bytes()
        assert client.request(f"{view}.png") == other.read_bytes()
        assert client.request(f"{view}%20(1).png") == own
    finally:
        client.upload_image(WORKFLOWS / "input" / "collage_bento_rice.png")


def saved_as(prompt: dict[str, object], quick: Path) -> None:
    """The workflow that the scripts run: what node 1 gives out is the wanted picture."""
    inputs = {"images": ["1", 1], "filename_prefix": "collage_result"}
    quick.write_text(json.dumps(prompt | {"2": {"class_type": "SaveImage", "inputs": inputs}}))


def test_it_brings_the_pictures_of_a_document(run, client: Client, quick: Path, tmp_path: Path):
    (folder := tmp_path / "input" / "collage").mkdir(parents=True)
    own = tmp_path / "own.png"
    Image.effect_noise((16, 8), 90).save(own)
    name = f"collage/{hashlib.sha256(own.read_bytes()).hexdigest()}.png"
    own.rename(folder.parent / name)
    back = folder.parent / "scenery of this test.png"
    Image.new("RGB", (64, 64), "blue").save(back)
    layer = {"id": "one1", "picture": name, "text": "a mug", "fit": "pixels", "scale": 1}
    document = {"version": 1, "width": 64, "height": 64, "prompt": "a mug", "layers": [layer]}
    text = json.dumps(document | {"background_picture": back.name})
    saved_as({"1": {"class_type": "CollageEditor", "inputs": {"document": text}}}, quick)
    done = run("queue_collage.py", "result.png", "--input", str(folder.parent))
    assert (done.returncode, done.stderr) == (0, "")
    assert Image.open(tmp_path / "result.png").getpixel((2, 2)) == (0, 0, 255)
    kept = client.request(f"/view?type=input&subfolder=collage&filename={Path(name).name}")
    assert kept == (folder.parent / name).read_bytes()


def test_it_brings_a_picture_of_the_mask_editor(run, quick: Path, tmp_path: Path) -> None:
    (tmp_path / "clipspace").mkdir()
    name = "clipspace/painted of this test.png"
    Image.new("RGBA", (64, 64), (0, 0, 255, 0)).save(tmp_path / name)
    load = {"class_type": "LoadImage", "inputs": {"image": f"{name} [input]"}}
    shown = {"class_type": "MaskToImage", "inputs": {"mask": ["3", 1]}}
    saved_as({"3": load, "1": shown}, quick)
    prompt = json.loads(quick.read_text())
    prompt["2"]["inputs"]["images"] = ["1", 0]
    quick.write_text(json.dumps(prompt))
    done = run("queue_collage.py", "result.png", "--input", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert Image.open(tmp_path / "result.png").convert("L").getpixel((2, 2)) == 255


def test_it_brings_the_file_of_a_collage(run, quick: Path, tmp_path: Path) -> None:
    pytest.importorskip("psd_tools")
    file = Path(__file__).parents[1] / "psd" / "groups.psd"
    (tmp_path / "mine.psd").write_bytes(file.read_bytes())
    saved_as({"1": {"class_type": "CollageOpenFile", "inputs": {"file": "mine.psd"}}}, quick)
    done = run("queue_collage.py", "result.png", "--input", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert Image.open(tmp_path / "result.png").size == (64, 64)


NOT_IN_API_FORM = ["[1]", "{}", '{"nodes": [], "links": []}', '{"1": {"class_type": "A"}}', "{"]


@pytest.mark.parametrize("text", [*NOT_IN_API_FORM, "[" * 100_000])
@pytest.mark.parametrize(
    "arguments", [["queue_collage.py", "result.png"], ["vary_layer.py", "sushi", "noise", "0.5"]]
)
def test_another_form_of_workflow_is_one_sentence(
    run, quick: Path, arguments: list[str], text: str
) -> None:
    quick.write_text(text)
    done = run(*arguments)
    assert done.returncode == 1
    assert re.search(r"quick\.json is (no workflow in API form|not JSON)", done.stderr)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["queue_collage.py", "no_such_folder/result.png"], "cannot be written"),
        (["queue_collage.py", "."], "cannot be written"),
        (["vary_layer.py", "sushi", "noise", "0.5", "--sheet", "sheet"], "ends in .png"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    run, client: Client, arguments: list[str], words: str
) -> None:
    before = len(client.get("/history"))
    done = run(*arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(client.get("/history")) == before


def test_what_fails_on_the_way_is_told_in_the_nodes_words(run, quick: Path) -> None:
    quick.write_text(quick.read_text().replace("and sushi on a green", "on a green"))
    done = run("queue_collage.py", "result.png")
    assert done.returncode == 1
    assert 'CollageStack, layer 4 "sushi", input text: does not stand in the prompt' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["queue_collage.py", "result.png"], ["vary_layer.py", "sushi", "noise", "0.5"]],
    ids=lambda arguments: arguments[0],
)
def test_a_server_that_does_not_answer_is_one_sentence(run, arguments: list[str]) -> None:
    done = run(*arguments, url="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "Cannot connect to host 127.0.0.1:9" in done.stderr
    assert len(done.stderr.splitlines()) == 1
