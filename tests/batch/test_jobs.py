"""Rows as jobs: which input a column names, and what every cell becomes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from launcher.client import Client
from launcher.failure import LauncherError
from tools.batch.cells import CellError
from tools.batch.files import Files
from tools.batch.jobs import Plan, input_folders
from tools.batch.nodes import Graph
from tools.batch.table import Table

WORKFLOWS = Path(__file__).parents[2] / "workflows"
Planned = Callable[..., Plan]


@pytest.fixture
def plan(client: Client, tmp_path: Path) -> Planned:
    """A plan for an example workflow, with a table that lies in tmp_path."""
    info = client.object_info()

    def make(
        columns: tuple[str, ...], *rows: tuple[Any, ...], name: str = "bento_box", **changes: Any
    ) -> Plan:
        file = WORKFLOWS / "api" / f"{name}.json"
        prompt = json.loads(file.read_text("utf-8"))
        for node, inputs in changes.items():
            prompt[node.strip("_")]["inputs"] |= inputs
        titles = {node: one["_meta"]["title"] for node, one in prompt.items() if "_meta" in one}
        files = Files(tmp_path, input_folders(file, ()))
        return Plan(Graph(prompt, info, titles), Table(columns, [*rows]), files)

    return make


@pytest.mark.parametrize(
    ("column", "cell", "node", "name", "value"),
    [
        ("17.seed", "18446744073709551614", "17", "seed", 2**64 - 2),
        ("PerLayerNoiseKSampler.seed", 8, "17", "seed", 8),
        ("sampler.steps", "9.0", "17", "steps", 9),
        ("Sampler.cfg", "2.5", "17", "cfg", 2.5),
        ("the picture.filename_prefix", "x", "20", "filename_prefix", "x"),
        ("layer.sushi.noise", "1", "9", "noise", 1.0),
        ("layer.Green Cloth.visible", "no", "3", "visible", False),
        ("layer.sushi.flip", "both", "9", "flip", "both"),
        ("layer.sushi.negative", 5, "9", "negative", "5"),
        ("stack.background", "#ff0000", "14", "background", "#ff0000"),
    ],
)
def test_a_column_names_an_input(
    plan: Planned, column: str, cell: Any, node: str, name: str, value: Any
) -> None:
    made = plan((column,), (cell,), (None,))
    given = made.prompt_of(1)[node]["inputs"][name]
    assert (given, type(given)) == (value, type(value))
    left = made.prompt_of(2)[node]["inputs"][name]
    assert left == made.graph.prompt[node]["inputs"][name] != value


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("layer.sushy.noise", 'no layer "sushy"; close to it: sushi'),
        ("layer.sushi.nois", 'the layer "sushi" has no input nois; it has noise'),
        ("sampler.sed", "17 (PerLayerNoiseKSampler) has no input sed; it has seed"),
        ("smapler.seed", 'no node "smapler"; close to it: sampler'),
        ("seed", 'it is no "node.input"'),
        ("CollageLayer.noise", '"CollageLayer" names 6 nodes: 3 (CollageLayer), 5'),
        ("17.model", "it takes MODEL over a link"),
    ],
)
def test_a_column_that_names_nothing_is_told_with_what_is_close(
    plan: Planned, column: str, words: str
) -> None:
    with pytest.raises(LauncherError) as error:
        plan((column,), ("1",))
    assert words in str(error.value)


def test_every_bad_cell_is_named_and_nothing_else(plan: Planned) -> None:
    columns = ("sampler.seed", "sampler.cfg", "layer.sushi.visible", "layer.rice.image", "name")
    made = plan(
        columns,
        ("x", "101", "perhaps", "no.png", None),
        ("1", "2", "true", None, "good"),
        ("1", "nan", None, None, "a/b"),
        ("-1", "", None, None, None),
    )
    with pytest.raises(LauncherError) as error:
        made.jobs()
    said = str(error.value)
    assert said.startswith("3 of 4 rows cannot be painted; nothing was started:")
    for words in (
        'row 1, column sampler.seed: "x" is not a whole number; column sampler.cfg: 101 is outside',
        'column layer.sushi.visible: "perhaps" is neither',
        'column layer.rice.image: there is no file "no.png" in',
        'row 3, column sampler.cfg: "nan" is not a number',
        "row 4, column sampler.seed: -1 is outside 0 to",
    ):
        assert words in said
    assert "row 2" not in said


def test_a_file_name_that_no_file_can_have_is_told(plan: Planned) -> None:
    with pytest.raises(LauncherError, match='row 1, column name: "a/b" is no name'):
        plan(("name",), ("a/b",)).jobs()


def test_a_file_name_is_measured_in_bytes(plan: Planned) -> None:
    made = plan(("name",), ("红" * 40,), ("红" * 41,), ("m" * 120,), ("m" * 121,), ("\ud800",))
    with pytest.raises(LauncherError) as error:
        made.jobs()
    said = str(error.value)
    assert f'row 2, column name: "{"红" * 41}" has 123 bytes in UTF-8' in said
    assert "row 4, column name" in said
    assert "row 5, column name" in said
    assert "3 of 5 rows" in said


def test_the_same_content_is_one_job_and_has_the_same_name_again(plan: Planned) -> None:
    columns = ("sampler.seed", "name", "# sku")
    first = plan(columns, ("1", None, "p"), ("1.0", "", "q"), ("2", None, "p"), ("1", "mug", "p"))
    jobs = first.jobs()
    assert [job.rows for job in jobs] == [(1, 2), (3,), (4,)]
    assert jobs[0].key == jobs[2].key != jobs[1].key
    assert [job.stem for job in jobs] == [
        jobs[0].key[:16],
        jobs[1].key[:16],
        f"mug-{jobs[0].key[:16]}",
    ]
    assert plan(("17.seed",), (1,)).jobs()[0].stem == jobs[0].stem


def test_the_bytes_of_a_picture_are_content_and_its_name_is_not(
    plan: Planned, tmp_path: Path
) -> None:
    source = WORKFLOWS / "input"
    for name, picture in (("a", "rice"), ("b", "rice"), ("c", "ginger")):
        data = (source / f"collage_bento_{picture}.png").read_bytes()
        (tmp_path / f"{name}.PNG").write_bytes(data)
    made = plan(("layer.rice.image",), ("a.PNG",), ("b.PNG",), ("c.PNG",), (None,))
    assert [job.rows for job in made.jobs()] == [(1, 2, 4), (3,)]
    prompt = made.prompt_of(3)
    name = prompt["12"]["inputs"]["image"]  # the LoadImage of the rice
    assert name.startswith("collage/")
    assert name.endswith(".png")
    files = made.files_of(prompt)
    assert files[name] == (tmp_path / "c.PNG").resolve()
    assert len(files) == 5  # ginger is there twice


def test_a_picture_that_several_layers_show_is_not_changed_for_one(plan: Planned) -> None:
    shared = {"image": ["8", 0], "mask": ["8", 1]}
    with pytest.raises(LauncherError, match=r"name the column 8\.image to change it for all"):
        plan(("layer.rice.image",), ("a.png",), _13=shared)


def test_words_of_a_layer_are_exchanged_in_the_scene(plan: Planned) -> None:
    made = plan(("layer.sushi.text", "layer.sushi.noise"), ("an egg", "1"))
    prompt = made.prompt_of(1)
    scene = "a bento box with ginger, edamame, rice and an egg on a green cloth"
    assert prompt["14"]["inputs"]["prompt"] == scene
    assert (prompt["9"]["inputs"]["text"], prompt["9"]["inputs"]["noise"]) == ("an egg", 1.0)
    own = plan(("layer.sushi.text", "stack.prompt"), ("egg", "a box with egg"))
    assert own.prompt_of(1)["14"]["inputs"]["prompt"] == "a box with egg"
    twice = plan(("layer.sushi.text",), ("egg",), _14={"prompt": "sushi by sushi"})
    with pytest.raises(LauncherError, match='"sushi" stands 2 times in the scene'):
        twice.jobs()


def test_layers_of_a_document_are_named_as_those_of_a_graph(plan: Planned, tmp_path: Path) -> None:
    ginger = (WORKFLOWS / "input" / "collage_bento_ginger.png").read_bytes()
    (tmp_path / "new.png").write_bytes(ginger)
    columns = ("layer.sushi.noise", "layer.sushi.image", "layer.rice.text")
    made = plan(columns, ("0.35", "new.png", "egg"), (None,) * 3, name="1_bento_box_editor")
    documents = [json.loads(made.prompt_of(row)["1"]["inputs"]["document"]) for row in (1, 2)]
    changed, own = ({layer["id"]: layer for layer in document["layers"]} for document in documents)
    assert changed["sushi"]["noise"] == 0.35
    assert changed["sushi"]["picture"] == own["ginger"]["picture"] != own["sushi"]["picture"]
    assert "egg and sushi" in documents[0]["prompt"]
    assert made.files_of(made.prompt_of(1)).keys() < made.files_of(made.prompt_of(2)).keys()
    with pytest.raises(LauncherError, match=r"1\.5 is outside 0 to 1"):
        plan(("layer.sushi.noise",), ("1.5",), name="1_bento_box_editor").jobs()


def test_a_document_comes_from_a_cell_or_from_a_file(plan: Planned, tmp_path: Path) -> None:
    own = json.loads((WORKFLOWS / "api" / "1_bento_box_editor.json").read_text())
    document = json.loads(own["1"]["inputs"]["document"])
    (tmp_path / "one.json").write_text(json.dumps(document))
    rows = ((document,), (json.dumps(document),), ("one.json",), (None,))
    made = plan(("editor.document",), *rows, name="1_bento_box_editor")
    found = [json.loads(made.prompt_of(row)["1"]["inputs"]["document"]) for row in (1, 2, 3, 4)]
    assert found[0] == found[1] == found[2] == found[3]


@pytest.mark.parametrize("order", [1, -1])
def test_a_layer_is_found_in_the_document_of_its_row(
    plan: Planned, tmp_path: Path, order: int
) -> None:
    own = json.loads((WORKFLOWS / "api" / "1_bento_box_editor.json").read_text())
    document = json.loads(own["1"]["inputs"]["document"])
    document["layers"].reverse()
    (tmp_path / "other.json").write_text(json.dumps(document))
    columns = {"editor.document": "other.json", "layer.sushi.text": "egg", "layer.sushi.noise": 0.1}
    names, cells = [*columns][::order], [*columns.values()][::order]
    made = plan(tuple(names), tuple(cells), name="1_bento_box_editor")
    found = json.loads(made.prompt_of(1)["1"]["inputs"]["document"])
    layers = {layer["id"]: layer for layer in found["layers"]}
    assert [*layers] == [layer["id"] for layer in document["layers"]]
    assert (layers["sushi"]["text"], layers["sushi"]["noise"]) == ("egg", 0.1)
    assert [layer["noise"] for layer in layers.values()].count(0.1) == 1
    assert "egg" in found["prompt"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda layers: layers.pop(3), 'has no layer "sushi"'),
        (lambda layers: layers.append(layers[3]), 'has 2 layers "sushi"'),
        (lambda layers: layers.append("sushi"), 'has no layer "sushi"'),
    ],
    ids=["missing", "twice", "no document"],
)
def test_a_document_without_the_layer_is_told(
    plan: Planned, change: Callable[[list[Any]], Any], words: str
) -> None:
    own = json.loads((WORKFLOWS / "api" / "1_bento_box_editor.json").read_text())
    document = json.loads(own["1"]["inputs"]["document"])
    assert document["layers"][3]["text"] == "sushi"
    change(document["layers"])
    columns = ("layer.sushi.noise", "editor.document")
    made = plan(columns, (0.5, json.dumps(document)), (0.5, None), name="1_bento_box_editor")
    with pytest.raises(LauncherError) as error:
        made.jobs()
    assert f"row 1, column layer.sushi.noise: the document of this row {words}" in str(error.value)
    assert "row 2" not in str(error.value)


def test_a_document_that_was_changed_after_its_check_is_not_painted(
    plan: Planned, tmp_path: Path
) -> None:
    own = json.loads((WORKFLOWS / "api" / "1_bento_box_editor.json").read_text())
    file = tmp_path / "one.json"
    file.write_text(own["1"]["inputs"]["document"])
    made = plan(("editor.document",), ("one.json",), name="1_bento_box_editor")
    made.jobs()
    assert made.prompt_of(1)
    file.write_text(file.read_text().replace("sushi", "egg"))
    with pytest.raises(CellError, match=r"one\.json was changed after the batch began"):
        made.prompt_of(1)
    file.unlink()
    with pytest.raises(CellError, match=r"one\.json cannot be read any more"):
        made.prompt_of(1)


def test_a_document_file_that_is_no_text_is_told(plan: Planned, tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"\x89PNG")
    with pytest.raises(LauncherError, match=r"row 1, .*one\.png is no text in UTF-8"):
        plan(("editor.document",), ("one.png",), name="1_bento_box_editor").jobs()


def test_rows_stand_in_groups_by_model_and_learned_look(plan: Planned, tmp_path: Path) -> None:
    for name in ("ball", "cube"):
        data = (WORKFLOWS / "input" / f"collage_look_{name}.png").read_bytes()
        (tmp_path / f"{name}.png").write_bytes(data)
    columns = ("6.image", "15.seed")
    rows = [(f"{name}.png", seed) for seed in (1, 2) for name in ("ball", "cube")]
    jobs = plan(columns, *rows, name="learned_look").jobs()
    assert [job.rows for job in jobs] == [(1,), (3,), (2,), (4,)]
    assert len({job.group for job in jobs}) == 2


def test_a_workflow_is_not_changed_by_its_rows(plan: Planned) -> None:
    made = plan(("layer.sushi.text", "layer.rice.noise"), ("egg", "1"))
    before = copy.deepcopy(made.graph.prompt)
    made.jobs()
    assert made.graph.prompt == before


def test_a_missing_picture_of_the_workflow_is_told_unless_the_row_has_one(
    plan: Planned, tmp_path: Path
) -> None:
    data = (WORKFLOWS / "input" / "collage_bento_rice.png").read_bytes()
    (tmp_path / "rice.png").write_bytes(data)
    made = plan(("12.image",), ("rice.png",), (None,), _12={"image": "gone.png"})
    with pytest.raises(LauncherError) as error:
        made.jobs()
    assert "1 of 2 rows" in str(error.value)
    assert 'row 2, 12 (LoadImage), input image: there is no file "gone.png"' in str(error.value)


def test_names_with_comfyuis_own_folders_are_read(plan: Planned, tmp_path: Path) -> None:
    """As the mask editor of its page and its list of results write them."""
    data = (WORKFLOWS / "input" / "collage_bento_rice.png").read_bytes()
    (tmp_path / "clipspace").mkdir()
    (tmp_path / "clipspace" / "painted.png").write_bytes(data)
    own = plan(("12.image",), (None,)).jobs()
    annotated = plan(("12.image",), (None,), _12={"image": "collage_bento_rice.png [input]"})
    cell = plan(("12.image",), ("clipspace/painted.png [input]",))
    assert annotated.jobs() == own == cell.jobs()
    for folder in ("output", "temp"):
        made = plan(("12.image",), (None,), _12={"image": f"result.png [{folder}]"})
        with pytest.raises(LauncherError, match=f'"result.png" lies in the folder {folder} of'):
            made.jobs()
