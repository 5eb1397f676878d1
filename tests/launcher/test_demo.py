"""The demo command's own steps; the whole of it runs in tests/server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from launcher import demo
from launcher.client import HostError
from launcher.failure import LauncherError

PROMPT: dict[str, Any] = {
    "1": {"class_type": "CollageDemoModel", "inputs": {}},
    "2": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["1", 2]}},
}


def info_with(*checkpoints: str) -> dict[str, Any]:
    spec = [list(checkpoints), {}]
    return {"CheckpointLoaderSimple": {"input": {"required": {"ckpt_name": spec}}}}


def test_a_checkpoint_takes_the_place_of_the_demo_model() -> None:
    swapped = demo.with_checkpoint(PROMPT, "real.safetensors", info_with("real.safetensors"))
    assert swapped["1"] == {
        "class_type": "CheckpointLoaderSimple",
        "inputs": {"ckpt_name": "real.safetensors"},
    }
    assert swapped["2"] == PROMPT["2"]
    assert PROMPT["1"]["class_type"] == "CollageDemoModel"


EXAMPLES = sorted((Path(__file__).parents[2] / "workflows" / "api").glob("*.json"))
OF_THE_DEMO_MODEL = [file for file in EXAMPLES if '"CollageDemoModel"' in file.read_text("utf-8")]


@pytest.mark.parametrize("file", OF_THE_DEMO_MODEL, ids=lambda file: file.stem)
def test_no_example_paints_with_a_checkpoint_as_with_the_demo_model(file: Path) -> None:
    given = json.loads(file.read_text("utf-8"))
    swapped = demo.with_checkpoint(given, "a.ckpt", info_with("a.ckpt"))
    samplers = [node["inputs"] for node in swapped.values() if "sampler_name" in node["inputs"]]
    assert samplers
    for inputs in samplers:
        assert (inputs["sampler_name"], inputs["cfg"]) == ("euler_ancestral", 7.5)
    assert given == json.loads(file.read_text("utf-8"))


def test_a_sampler_of_ones_own_stays_with_a_checkpoint() -> None:
    own = {"steps": 9, "cfg": 5.0, "sampler_name": "euler", "scheduler": "simple"}
    prompt = PROMPT | {"3": {"class_type": "KSampler", "inputs": own}}
    swapped = demo.with_checkpoint(prompt, "a.ckpt", info_with("a.ckpt"))
    assert swapped["3"]["inputs"] == own


def test_a_checkpoint_in_the_newer_form_of_a_list_is_found() -> None:
    info = info_with()
    spec = ["COMBO", {"options": ["real.safetensors"]}]
    info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = spec
    assert demo.with_checkpoint(PROMPT, "real.safetensors", info)["1"]["inputs"]


def test_a_checkpoint_the_host_lacks_is_told_with_those_it_has() -> None:
    with pytest.raises(LauncherError, match=r"no checkpoint x; it has a\.ckpt, b\.ckpt"):
        demo.with_checkpoint(PROMPT, "x", info_with("a.ckpt", "b.ckpt"))


def test_a_workflow_without_the_demo_model_keeps_no_secret_of_it() -> None:
    with pytest.raises(LauncherError, match="has no CollageDemoModel"):
        demo.with_checkpoint({"2": PROMPT["2"]}, "a.ckpt", info_with("a.ckpt"))


def test_a_picture_that_was_not_saved_is_a_failure() -> None:
    prompt = {name: {"class_type": "SaveImage", "inputs": {}} for name in ("1", "2", "3")}
    images = [{"filename": "a.png"}]
    outputs = {"1": {"images": images}, "2": {"images": []}, "9": {"images": images}}
    with pytest.raises(HostError, match=r"SaveImage \(node 2\), SaveImage \(node 3\) saved no"):
        demo.require_all_saved(prompt, outputs)
    demo.require_all_saved({"1": prompt["1"], "4": {"class_type": "PreviewAny"}}, outputs)


class _Saves:
    """Gives back which picture it was asked for."""

    def fetch(self, image: dict[str, str]) -> bytes:
        return image["subfolder"].encode()


def test_pictures_of_one_name_in_two_folders_are_both_kept() -> None:
    images = [
        {"filename": "a_00001_.png", "subfolder": folder, "type": "output"}
        for folder in ("", "b", "b/c")
    ]
    found = demo.fetch_saved(_Saves(), {"1": {"images": images}})  # pyright: ignore
    assert found == {"a_00001_.png": b"", "b_a_00001_.png": b"b", "b_c_a_00001_.png": b"b/c"}


def test_pictures_are_written_under_the_name_of_the_workflow(tmp_path: Path) -> None:
    pictures = {"result_00001_.png": b"1", "bento_composite_00001_.png": b"2", "../../x.png": b"3"}
    written, name = demo.write_pictures(pictures, tmp_path, "bento")
    assert name == "bento"
    names = ["bento_result_00001_.png", "bento_composite_00001_.png", "bento_x.png"]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert written[0].read_bytes() == b"1"


def test_the_pictures_of_an_earlier_run_stay(tmp_path: Path) -> None:
    """All of a run's pictures get the number, or one would take it for two runs."""
    first = {"composite_00001_.png": b"same", "result_00001_.png": b"first"}
    second = {**first, "noise_00001_.png": b"new", "result_00001_.png": b"second"}
    (tmp_path / "bento_2_result_00001_.png").write_bytes(b"the user's")
    for pictures, name in ((first, "bento"), (second, "bento_3"), (first, "bento")):
        written, given = demo.write_pictures(pictures, tmp_path, "bento")
        assert given == name
        assert [path.name for path in written] == [f"{name}_{file}" for file in pictures]
        assert [path.read_bytes() for path in written] == list(pictures.values())
    assert (tmp_path / "bento_2_result_00001_.png").read_bytes() == b"the user's"
    assert len(list(tmp_path.iterdir())) == 2 + 3 + 1
    demo.write_pictures(second, tmp_path, "bento", replace=True)
    assert (tmp_path / "bento_result_00001_.png").read_bytes() == b"second"


def test_two_runs_that_write_at_once_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(path: Path, data: bytes, **_: object) -> None:
        monkeypatch.undo()
        path.write_bytes(b"the other run's")
        raise FileExistsError

    monkeypatch.setattr(demo, "write_whole", too_late)
    written, _ = demo.write_pictures({"a.png": b"ours"}, tmp_path, "x")
    assert [path.name for path in written] == ["x_2_a.png"]
    assert (tmp_path / "x_a.png").read_bytes() == b"the other run's"


def test_pictures_are_joined_in_order_at_one_height(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    from demo.sheets import GAP, join

    image.new("RGBA", (20, 10), "red").save(tmp_path / "a.png")
    image.new("RGB", (10, 5), "blue").save(tmp_path / "b.png")
    image.new("RGB", (4, 10), "lime").save(tmp_path / "c.png")
    join([tmp_path / f"{name}.png" for name in "abc"], tmp_path / "sheet.png", columns=3)
    with image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (20 + GAP + 20 + GAP + 4, 10)
        assert sheet.getpixel((5, 5)) == (255, 0, 0)
        assert sheet.getpixel((20 + GAP + 5, 5)) == (0, 0, 255)
        assert sheet.getpixel((40 + 2 * GAP + 2, 5)) == (0, 255, 0)


def test_pictures_are_joined_in_rows(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    from demo.sheets import GAP, join

    for name in ("red", "blue", "lime", "white"):
        image.new("RGB", (10, 10), name).save(tmp_path / f"{name}.png")
    paths = [tmp_path / f"{name}.png" for name in ("red", "blue", "lime", "white")]
    join(paths, tmp_path / "sheet.png", columns=2)
    with image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (20 + GAP, 20 + GAP)
        assert sheet.getpixel((15 + GAP, 5)) == (0, 0, 255)
        assert sheet.getpixel((5, 15 + GAP)) == (0, 255, 0)


def test_every_composite_begins_a_row_that_its_result_ends() -> None:
    """Written in the order that nodes happened to run in."""
    names = ["1_composite", "1_result", "2_composite", "1_noise", "2_noise", "2_result"]
    written = [Path(f"x_collage_{name}_1_.png") for name in names]
    rows = demo.in_rows(written)
    assert [[path.name[10:-7] for path in row] for row in rows] == [
        ["1_composite", "1_noise", "1_result"],
        ["2_composite", "2_noise", "2_result"],
    ]
    assert demo.in_rows(written[:3]) == []


def test_what_was_saved_beside_one_composite_stands_between() -> None:
    names = ["composite", "without", "result"]
    written = [Path(f"x_collage_{name}_1_.png") for name in names]
    assert demo.in_rows([written[0], written[2], written[1]]) == [written]
