"""workflows/vary_layer.py, as a user starts it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from launcher.client import Client

WORKFLOWS = Path(__file__).parents[2] / "workflows"


def test_a_layer_is_varied_on_a_sheet(run, tmp_path: Path) -> None:
    done = run("vary_layer.py", "bento box", "noise", "0.1", "1", "0.10", "--steps", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "noise 1, step 2 of 2\n" in done.stdout
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"), np.float32)
    low, high, same = (sheet[8 : 8 + 256, 8 + 264 * n :][:, :256] for n in range(3))
    assert sheet.shape[1] == 3 * 264 + 8
    assert np.array_equal(low, same)
    assert np.abs(low - high).mean() > 1
    labels = sheet[8 + 256 :]
    assert labels.min() == 0
    assert labels.max() == 255


def test_words_are_varied_in_the_scene_prompt_too(run, tmp_path: Path) -> None:
    done = run("vary_layer.py", "ginger", "text", "an egg", "ginger", "--steps", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "sheet.png").exists()


def test_a_place_is_varied_in_both_directions(run, tmp_path: Path) -> None:
    values = ["0.3,0.73", "0.3,0.2", "0.7,0.73"]
    assert run("vary_layer.py", "sushi", "position", *values, "--steps", "1").returncode == 0
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"), np.float32)
    first, up, right = (sheet[8 : 8 + 256, 8 + 264 * n :][:, :256] for n in range(3))
    assert np.abs(first - up).mean() > 1
    assert np.abs(first - right).mean() > 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sashimi", "noise", "0.5"], 'no layers have the text "sashimi"; there are "green cloth"'),
        (["sushi", "nose", "0.5"], 'has no value "nose"; it has text, x, y'),
        (["sushi", "image", "a.png"], 'has no value "image"'),
        (["sushi", "noise", "much"], 'noise is a number, and "much" is not'),
        (["sushi", "visible", "much"], 'visible is true or false, and "much" is not'),
        (["sushi", "position", "0.5"], 'two numbers, such as 0.3,0.7, and "0.5" is not'),
        (
            ["sushi", "noise", "0.5", "0.4", "1.5"],
            'CollageLayer "sushi", input noise: 1.5 is outside 0 to 1.',
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_left_in_the_queue(
    run, client: Client, tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = run("vary_layer.py", *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "sheet.png").exists()
    assert client.get("/queue")["queue_pending"] == []


@pytest.mark.parametrize(("scene", "places"), [("a rice box", 0), ("sushi by sushi", 2)])
def test_words_are_exchanged_only_where_they_stand_once(
    run, quick: Path, scene: str, places: int
) -> None:
    prompt = json.loads(quick.read_text())
    stack = next(n for n in prompt.values() if n["class_type"] == "CollageStack")
    stack["inputs"]["prompt"] = scene
    quick.write_text(json.dumps(prompt))
    done = run("vary_layer.py", "sushi", "text", "egg")
    assert done.returncode == 1
    assert f'"sushi" stands {places} times in the scene prompt' in done.stderr


@pytest.mark.parametrize(
    ("scene", "old", "expected"),
    [
        ("木の机に寿司とカップ", "寿司", "木の机に鸡蛋とカップ"),
        ("a 寿司roll", "寿司", "a 鸡蛋roll"),
        ("a salmon  sushi roll", "Salmon sushi", "a 鸡蛋 roll"),
        ("sushis, (sushi:1.2)", "sushi", "sushis, (鸡蛋:1.2)"),
    ],
)
def test_words_are_found_as_the_nodes_find_them(
    monkeypatch: pytest.MonkeyPatch, scene: str, old: str, expected: str
) -> None:
    monkeypatch.syspath_prepend(WORKFLOWS)
    stack = {"class_type": "CollageStack", "inputs": {"prompt": scene}}
    importlib.import_module("vary_layer").rename({"1": stack}, old, "鸡蛋")
    assert stack["inputs"]["prompt"] == expected


def test_labels_of_any_script_stand_on_the_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(WORKFLOWS)
    script = importlib.import_module("vary_layer")
    red = script.encoded(Image.new("RGB", (200, 60), "red"), "PNG")
    one, two = (
        np.asarray(script.contact_sheet([red, red], [f"text {words}", "text"]))
        for words in ("寿司" * 30, "醤油" * 30)
    )
    if not any(script.has(font, "寿") for font in script.fonts()):
        pytest.skip("this system has no font with these letters")
    assert (one != two).any()
    assert (one[8 + 60 + script.LINE + 8 :, 8 + 200 + 8 :] == 255).all(), "it reaches too far"
    monkeypatch.setattr(script, "has", lambda *_: False)
    lost = np.asarray(script.contact_sheet([red], ["寿司"]))
    assert (lost == np.asarray(script.contact_sheet([red], ["??"]))).all()
