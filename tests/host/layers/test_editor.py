"""CollageEditor beside the graph of CollageLayer and CollageStack that its document stands for."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

SEEDS = {"mug": 1, "lemon": 2, "table": 3}


@pytest.fixture
def keep(temp_folder):
    """Put a picture into the input folder, under its hash unless told otherwise; its name."""

    def put(picture: Image.Image, name: str = "", kind: str = "PNG", **options: Any) -> str:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        name = name or f"collage/{hashlib.sha256(file.getvalue()).hexdigest()}.{kind.lower()}"
        path = temp_folder / "input" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.getvalue())
        return name

    return put


def noise(seed: int, mode: str = "RGBA", size: tuple[int, int] = (40, 30)) -> Image.Image:
    """A picture of random pixels, soft alpha included."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    count = size[0] * size[1] * channels
    random = torch.randint(256, (count,), generator=torch.Generator().manual_seed(seed))
    return Image.frombytes(mode, size, bytes(random.tolist()))


@pytest.fixture
def table(keep) -> dict[str, Any]:
    """A document of a table, a mug and a hidden lemon."""
    layers = [
        {"id": "tabl", "picture": keep(noise(3, "RGB"), "photos/table.png"), "text": "table",
         "fit": "cover", "noise": 0.9},
        {"id": "mug1", "picture": keep(noise(1)), "text": "mug", "x": 0.4, "y": 0.45,
         "scale": 0.7, "fit": "contain", "rotation": 17.5, "opacity": 0.8, "attract": 0.7,
         "repel": 0.1, "control": 0.25, "noise": 0.35,
         "flip": "horizontal", "blend": "soft light", "negative": "(striped:1.2), dotted"},
        {"id": "lemo", "picture": keep(noise(2)), "text": "lemon", "visible": False},
    ]  # fmt: skip
    prompt = "a mug and a lemon on a table"
    return {"version": 1, "width": 96, "height": 64, "prompt": prompt, "layers": layers}


@pytest.fixture
def editor(node_of, temp_folder):
    """Run CollageEditor; its outputs by name."""
    node = node_of("CollageEditor")

    def run(document: dict[str, Any] | str, **inputs: Any) -> dict[str, Any]:
        text = document if isinstance(document, str) else json.dumps(document)
        output = node.execute(document=text, **inputs)
        names = [out.id for out in node.GET_SCHEMA().outputs]
        return {**dict(zip(names, output.args, strict=True)), "ui": output.ui}

    return run


@pytest.fixture
def refused(editor, pack):
    def run(document: dict[str, Any] | str, **inputs: Any) -> str:
        with pytest.raises(pack.collage_core.errors.CollageError) as error:
            editor(document, **inputs)
        return str(error.value)

    return run


def graph_of(node_of, document: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    """The same collage by Load Image, CollageLayer and CollageStack."""
    import nodes

    layers = {}
    for i, given in enumerate(document["layers"]):
        image, mask = nodes.LoadImage().load_image(given["picture"])
        settings = {key: given[key] for key in given if key not in ("id", "picture")}
        layers[f"layer{i}"] = node_of("CollageLayer").execute(image, mask=mask, **settings).args[0]
    stack = node_of("CollageStack")
    canvas = (document["prompt"], document["width"], document["height"], "#969696")
    output = stack.execute(*canvas, layers, **inputs)
    return dict(zip((out.id for out in stack.GET_SCHEMA().outputs), output.args, strict=True))


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for name in ("image", "visible_masks"):
        assert torch.equal(one[name], other[name]), name
    assert one["prompt"] == other["prompt"]


def lines(report: str) -> list[str]:
    """What it says of the layers; the graph notes besides that a file has no transparency."""
    return [line for line in report.splitlines()[1:] if not line.lstrip().startswith("!")]


def test_a_document_gives_what_the_graph_gives_to_the_bit(editor, node_of, table):
    made, graph = editor(table), graph_of(node_of, table)
    same(made, graph)
    assert lines(made["report"]) == lines(graph["report"])
    for one, other in zip(made["collage"].layers, graph["collage"].layers, strict=True):
        for name in (
            "x",
            "noise",
            "flip",
            "blend",
            "negative",
            "attract",
            "repel",
            "control",
            "visible",
            "fit",
            "text",
        ):
            assert getattr(one, name) == getattr(other, name)


def test_outputs_are_those_of_a_stack_in_its_order(node_of):
    editor, stack = (node_of(name).GET_SCHEMA() for name in ("CollageEditor", "CollageStack"))
    assert [(o.id, o.get_io_type()) for o in editor.outputs] == [
        (o.id, o.get_io_type()) for o in stack.outputs
    ]
    assert editor.inputs[0].id == "document"


def test_the_page_gets_a_preview_and_the_lines_of_the_report(editor, table, temp_folder):
    made = editor(table)
    assert made["ui"]["report"] == made["report"].splitlines()
    picture = Image.open(temp_folder / "temp" / made["ui"]["images"][0]["filename"])
    assert picture.size == (96, 64)


def test_on_another_stack_with_another_prompt_and_picture(editor, node_of, table, layer, stack):
    below = stack(layer("bear"), width=96, height=64).collage
    picture = torch.rand(1, 20, 20, 3)
    words = "a bear, a mug and a lemon on a table"
    inputs = {"collage": below, "background_image": picture}
    made = editor(table, prompt=words, **inputs)
    graph = graph_of(node_of, {**table, "prompt": words}, **inputs)
    same(made, graph)
    assert made["prompt"] == words
    no_layers = {"version": 1, "width": 96, "height": 64}
    same(editor(no_layers, collage=below), {**vars(stack(collage=below, prompt="", width=96))})


def test_a_background_picture_is_that_of_the_socket(editor, table, keep, temp_folder):
    named = editor({**table, "background_picture": keep(noise(7, "RGB"), "ground.png")})
    assert not torch.equal(named["image"], editor(table)["image"])
    same(named, editor(table, background_image=pixels(temp_folder / "input" / "ground.png")))


def pixels(file: Path) -> torch.Tensor:
    """A file as an IMAGE [1, H, W, 3]."""
    picture = Image.open(file).convert("RGB")
    values = torch.tensor(list(picture.tobytes()), dtype=torch.float32)
    return values.reshape(1, picture.height, picture.width, 3) / 255


def test_unknown_keys_are_told_in_the_report(editor, table):
    table["layers"][1]["colour"] = "red"
    report = editor({**table, **{f"key{n}": n for n in range(20)}})["report"]
    assert 'the key "colour" is unknown' not in report  # beyond the first eight
    assert "! 13 more keys are unknown and change nothing." in report


def test_all_that_is_wrong_is_said_at_once(refused, table):
    tab, mug, lemon = table["layers"]
    mug |= {"picture": "collage/" + "0" * 64 + ".png", "text": "a (mug:1e999)"}
    lemon |= {"text": " ", "look": "nowhere"}
    table |= {"background_picture": "gone.webp", "edit": {"picture": tab["picture"]}}
    assert (
        refused(table)
        == f"""\
CollageEditor, input document: Document: its background picture gone.webp is not in \
ComfyUI's input folder. Put it there, or choose the picture again.
Layer 2 "a (mug:1e999)", text: "a (mug:1e999)" has the weight 1e999. Use a number such as 1.2.
Layer 2 "a (mug:1e999)": its picture {mug["picture"]} is not in ComfyUI's input folder. \
Put it there, or choose the picture again.
Layer 3: it has no words. Write what it shows, as the prompt says it.
Layer 3, look: there is no embedding "nowhere" in models/embeddings. \
Put "nowhere.safetensors" there, or choose another.
Edit: no layer is chosen, so nothing would be drawn anew. Choose one.
Edit: its picture has 40 x 30 pixels, and the canvas has 96 x 64. \
Give the canvas the size of the picture."""
    )


@pytest.mark.parametrize("document", ["", '{"version": 1, "prompt": "a mug"}'])
def test_an_empty_collage_is_refused(refused, document):
    assert refused(document) == (
        "CollageEditor, input document: Document: it has no layers. Add a picture, or connect a "
        "stack to collage."
    )


def test_words_that_are_missing_are_refused_in_the_editor_s_name(refused, table):
    table["prompt"] = "a table"
    said = refused(table)
    assert 'CollageEditor, layer 2 "mug", input text: does not stand in the prompt' in said
    assert "lemon" not in said  # it is hidden
    said = refused(table, prompt="a mug")
    assert 'CollageEditor, layer 1 "table", input text: does not stand in the prompt' in said


def test_what_a_layer_must_not_show_is_read_before_the_run(refused, api, table):
    table["layers"][1]["negative"] = "(striped:inf)"
    said = 'Layer 2 "mug", negative: "(striped:inf)" has the weight inf. Use a number such as 1.2.'
    assert said in refused(table)
    assert "has the weight inf" in api(prompt_of(json.dumps(table))).refused


def prompt_of(document: Any, **inputs: Any) -> dict[str, Any]:
    return {
        "editor": {"class_type": "CollageEditor", "inputs": {"document": document, **inputs}},
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["editor", 1]}},
    }


def test_the_executor_runs_it_and_shows_the_report(api, table):
    ran = api(prompt_of(json.dumps(table)))
    assert (ran.refused, ran.error) == ("", "")
    assert ran.ui["editor"]["report"][0].startswith("Canvas 96 x 64 pixels, 2 of 3 layers shown")


def test_mistakes_are_refused_before_anything_runs(api, table):
    said = api(prompt_of(json.dumps({**table, "width": 100}))).refused
    assert "Document: width is 100. Enter a multiple of 8 from 64 to 8192." in said
    said = api(prompt_of(json.dumps({**table, "prompt": "a lemon"}))).refused
    assert "does not stand in the prompt" in said
    table["layers"][1]["picture"] = "gone.png"
    assert "gone.png is not in ComfyUI's input folder" in api(prompt_of(json.dumps(table))).refused


def test_what_depends_on_a_link_is_not_checked_before_the_run(api, table):
    document = json.dumps({**table, "prompt": "of something else"})
    words = {"class_type": "CollageEditor", "inputs": {"document": json.dumps(table)}}
    ran = api({**prompt_of(document, prompt=["words", 3]), "words": words})
    assert (ran.refused, ran.error) == ("", "")
    assert "does not stand in the prompt" in api(prompt_of(document)).refused


def test_a_document_may_be_longer_than_a_prompt_and_not_half_a_character(api, table):
    long = {**table, "note": "m" * 30_000}
    assert api(prompt_of(json.dumps(long))).refused == ""
    assert "half a character" in api(prompt_of("\ud800")).refused
    assert "is not a JSON object" in api(prompt_of({"__value__": [1]})).refused


def test_the_fingerprint_follows_the_files(node_of, table, keep):
    node = node_of("CollageEditor")

    def key(prompt: str | None = "", **changes: Any) -> str:
        return node.fingerprint_inputs(json.dumps({**table, **changes}), prompt)

    first = key()
    assert first == key()
    keep(noise(8, "RGB"), "photos/table.png")
    assert key() != first
    second = key()
    keep(noise(9, "RGB"), "ground.png")
    assert key(background_picture="ground.png") != second
    assert key(prompt=None)
    assert node.fingerprint_inputs(None, "") == node.fingerprint_inputs(None, "")
    assert node.fingerprint_inputs("[", "") == ""


def test_the_fingerprint_follows_the_embeddings_of_looks(node_of, table, write_embedding):
    node = node_of("CollageEditor")
    write_embedding("own_mug")
    table["layers"][1]["look"] = "own_mug"
    first = node.fingerprint_inputs(json.dumps(table), "")
    assert node.fingerprint_inputs(json.dumps(table), "") == first
    write_embedding("own_mug")
    assert node.fingerprint_inputs(json.dumps(table), "") != first


def test_pictures_beyond_the_memory_are_refused_before_they_are_decoded(
    refused, table, keep, pack, monkeypatch
):
    import comfy.model_management as management

    monkeypatch.setattr(management, "get_free_memory", lambda _device: 2e9)
    monkeypatch.setattr(pack.nodes.document_collage, "read_picture", None)
    table["layers"][1]["picture"] = keep(Image.new("1", (9000, 7000)), "large.png")
    table["layers"].append({**table["layers"][2], "id": "more"})
    table["layers"][2]["picture"] = keep(Image.new("1", (8000, 7000)), "more.png")
    said = refused(table)
    assert "CollageEditor, reading 4 pictures of 119 megapixels together takes 2.9 GB" in said


def test_a_look_is_the_embedding_of_that_name(editor, node_of, table, write_embedding):
    write_embedding("own_mug")
    table["layers"][1]["look"] = "own_mug"
    made = editor(table)
    graph = node_of("CollageEmbeddingLoad").execute(made["collage"].layers[0], "own_mug").args[0]
    found = made["collage"].layers[1].embedding
    assert found.name == "own_mug"
    assert torch.equal(found.vectors["l"], graph.embedding.vectors["l"])
    assert made["prompt"] == "a embedding:own_mug mug and a lemon on a table"


@pytest.fixture
def write_embedding(temp_folder, monkeypatch):
    import folder_paths
    from safetensors.torch import save_file

    folder = temp_folder / "embeddings"
    folder.mkdir()
    paths = ([str(folder)], {".safetensors"})
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "embeddings", paths)

    def write(name: str) -> None:
        folder_paths.filename_list_cache.pop("embeddings", None)
        save_file({"emb_params": torch.rand(2, 768)}, folder / f"{name}.safetensors")

    return write
