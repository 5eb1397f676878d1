"""CollageEmbeddingLoad, and files of ours in the host's own hands."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import comfy.sd1_clip
import comfy.sdxl_clip
import pytest
import torch
from torch.testing import assert_close

SDXL = {"l": torch.ones(2, 768) * 0.1, "g": torch.ones(2, 1280) * 0.2}


@pytest.fixture
def node(node_of, folder: Path):
    return node_of("CollageEmbeddingLoad")


@pytest.fixture
def layer(node_of):
    image = torch.ones(1, 16, 16, 3)
    return node_of("CollageLayer").execute(image=image, text="bear").args[0]


def embedded(tokens: list[list[tuple[Any, ...]]]) -> list[torch.Tensor]:
    return [token for token, *_ in tokens[0] if isinstance(token, torch.Tensor)]


def options(node) -> list[str]:
    return next(i for i in node.GET_SCHEMA().inputs if i.id == "embedding").options


def test_the_layer_carries_the_vectors(node, layer, put, vectors) -> None:
    put("col_bear_0123456789")
    assert options(node) == ["col_bear_0123456789"]
    assert node.validate_inputs(embedding="col_bear_0123456789") is True
    given, word = node.execute(layer=layer, embedding="col_bear_0123456789").args
    assert word == "embedding:col_bear_0123456789"
    assert given.embedding.name == "col_bear_0123456789"
    assert_close(given.embedding.vectors, vectors, rtol=0, atol=0)
    assert (given.text, given.image, layer.embedding) == ("bear", layer.image, None)


def test_the_stack_writes_the_word_before_the_phrase(
    node, layer, put, node_of, tmp_path, monkeypatch
) -> None:
    import folder_paths

    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path))
    put("fur")
    given = node.execute(layer=layer, embedding="fur").args[0]
    inputs = {"width": 64, "height": 64, "background": "#969696", "layers": {"layer0": given}}
    prompt = node_of("CollageStack").execute(prompt="a bear", **inputs).args[3]
    assert prompt == "a embedding:fur bear"


def test_many_vectors_are_a_note_of_the_layer(node, layer, put) -> None:
    put("much", {"l": torch.ones(17, 768)})
    assert "17 learned vectors" in node.execute(layer=layer, embedding="much").args[0].notes[0]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("gone", 'there is no embedding "gone" in models/embeddings. Put "gone.safetensors"'),
        ("../secret", 'there is no embedding "../secret"'),
        ("..\\secret", "there is no embedding"),
        ("/etc/passwd", "there is no embedding"),
        ("", "there is no embedding"),
        ("old", "python3 run.py convert-embedding old.pt"),
        ("odd name", "cannot stand in a prompt"),
        ("twin", '"twin" lies in several folders'),
        ("cut", 'The embedding file "cut.safetensors" is incomplete'),
    ],
)
def test_refusals_name_the_file_and_the_remedy(node, layer, folder, put, choice, words) -> None:
    put("../secret")
    put("odd name")
    put("twin")
    put("below/twin")
    cut = put("cut")
    cut.write_bytes(cut.read_bytes()[:-1])
    (folder / "old.pt").write_bytes(pickle.dumps({}))
    with pytest.raises(ValueError, match=r"^CollageEmbeddingLoad, input embedding: ") as before:
        node.validate_inputs(embedding=choice)
    assert words in str(before.value)
    assert str(folder) not in str(before.value)
    with pytest.raises(ValueError, match="CollageEmbeddingLoad") as error:
        node.execute(layer=layer, embedding=choice)
    assert str(error.value) == str(before.value)


def test_a_file_below_a_folder_has_the_name_that_the_host_reads(node, layer, put, folder) -> None:
    put("mine/fur")
    assert options(node) == ["mine/fur"]
    _, word = node.execute(layer=layer, embedding="mine/fur").args
    assert word == "embedding:fur"
    tokenizer = comfy.sd1_clip.SD1Tokenizer(embedding_directory=[str(folder)])
    assert len(embedded(tokenizer.tokenize_with_weights(word)["l"])) == 2


def test_an_extension_in_the_choice_does_no_harm(node, layer, put) -> None:
    put("fur.v2")
    assert node.execute(layer=layer, embedding="fur.v2.safetensors").args[1] == "embedding:fur.v2"


def test_a_changed_file_is_noticed(node, put, folder) -> None:
    path = put("fur")
    prints = [node.fingerprint_inputs(layer=None, embedding="fur")]
    linked = node.fingerprint_inputs(layer=None, embedding=None)
    assert prints == [node.fingerprint_inputs(layer=None, embedding="fur")]
    path.unlink()
    put("fur", {"l": torch.ones(3, 768)})
    prints.append(node.fingerprint_inputs(layer=None, embedding="fur"))
    assert linked != node.fingerprint_inputs(layer=None, embedding=None)
    path.unlink()
    prints.append(node.fingerprint_inputs(layer=None, embedding="fur"))
    assert len(set(prints)) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [("CollageStack", "prompt"), ("CollageLayer", "text"), ("CollageEdit", "phrase")],
)
def test_a_text_changes_with_the_files_that_it_names(node_of, put, folder, name, text) -> None:
    def mark(said: str | None) -> str:
        return node_of(name).fingerprint_inputs(**{text: said, "image": None})

    def learned(value: float) -> None:
        put("below/fur(1)", {"l": torch.full((1, 768), value)})

    named, linked, plain = r"a (bear embedding:fur\(1\), brown:1.2)", None, "a brown bear"
    marks = [[mark(said) for said in (named, linked, plain)]]
    for change in (
        lambda: learned(1.0),
        (folder / "below/fur(1).safetensors").unlink,
        lambda: learned(2.0),
        lambda: (folder / "fur(1).pt").write_bytes(b"which the host may read as well"),
    ):
        change()
        marks.append([mark(said) for said in (named, linked, plain)])
    of_named, of_linked, of_plain = zip(*marks, strict=True)
    assert [len(set(of_named)), len(set(of_linked)), len(set(of_plain))] == [4, 4, 1]
    assert of_named[0] == of_named[2]  # nothing there, again
    before = mark(named), mark(linked)
    put("col_bear_0123456789")
    assert (mark(named), mark(linked)) == before  # a training must not make the next run slow
    put("else")
    assert mark(named) == before[0]
    assert mark(linked) != before[1]


@pytest.mark.parametrize("name", ["CollageStack", "CollageEdit"])
def test_no_prompt_goes_out_with_words_that_nobody_else_can_find(
    node_of, in_graph, put, pack, layer, vectors, name
) -> None:
    core = pack.collage_core
    word = core.collage.layer.Embedding(name="fur", vectors=vectors)
    learned = dataclasses.replace(layer, embedding=word)
    canvas = {"prompt": "a bear", "width": 64, "height": 64, "background": "#969696"}
    inputs = {**canvas, "layers": {"layer0": learned}}
    if name == "CollageEdit":
        collage, image, *_ = node_of("CollageStack").execute(**inputs).args
        inputs = {
            "collage": collage, "image": image, "layers": "bear", "noise": 0.5, "phrase": "",
            "feather": 2.0, "paste": False,
        }  # fmt: skip
    to_text = {"text": {"class_type": "CLIPTextEncode", "inputs": {"text": ["own", 3]}}}
    to_report = {"show": {"class_type": "PreviewAny", "inputs": {"source": ["own", 4]}}}
    assert in_graph(name, to_report, **inputs)[3] == "a embedding:fur bear"
    with pytest.raises(core.errors.CollageError) as told:
        in_graph(name, to_text, **inputs)
    said = f'{name}, output prompt: models/embeddings has no file "fur.safetensors", and the node'
    assert str(told.value).startswith(said)
    put("below/fur")
    assert in_graph(name, to_text, **inputs)[3] == "a embedding:fur bear"


def test_the_host_runs_a_prompt_again_when_its_embedding_changed(put, pack) -> None:
    import execution

    graph: dict[str, Any] = {
        "image": {
            "class_type": "EmptyImage",
            "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0},
        },
        "layer": {
            "class_type": "CollageLayer",
            "inputs": {
                "image": ["image", 0], "text": "bear", "x": 0.5, "y": 0.5, "scale": 1.0,
                "rotation": 0.0, "opacity": 1.0, "noise": 0.6, "attract": 0.3, "repel": 0.5,
                "control": 1.0, "visible": True,
            },
        },
        "stack": {
            "class_type": "CollageStack",
            "inputs": {
                "prompt": "a bear embedding:fur", "width": 64, "height": 64,
                "background": "#969696", "layers.layer0": ["layer", 0],
            },
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["stack", 1]}},
    }  # fmt: skip
    told: list[tuple[str, dict[str, Any]]] = []
    server = SimpleNamespace(
        client_id="test",
        last_node_id=None,
        send_sync=lambda event, data, _: told.append((event, data)),
    )
    cache: Any = execution.CacheType.CLASSIC
    executor = execution.PromptExecutor(server, cache, {"ram": 0, "ram_inactive": 0})

    def ran() -> set[str]:
        told.clear()
        prompt = copy.deepcopy(graph)
        executor.execute(prompt, "id", {"client_id": "test"}, ["show"])
        assert not [data for event, data in told if event == "execution_error"]
        return {data["node"] for event, data in told if event == "executing" and data["node"]}

    path = put("fur")
    assert "stack" in ran()
    assert "stack" not in ran()
    path.unlink()
    put("fur", {"l": torch.ones(3, 768)})
    again = ran()
    assert {"stack", "show"} <= again
    assert "layer" not in again


def test_the_host_refuses_a_graph_whose_file_is_gone(node, put) -> None:
    import execution

    put("fur")

    def refusal(name: str) -> str:
        load = {"layer": ["layer", 0], "embedding": name}
        stack = {"prompt": "bear", "width": 64, "height": 64, "background": "#969696"}
        prompt: dict[str, Any] = {
            "image": {"class_type": "EmptyImage", "inputs": EMPTY},
            "layer": {"class_type": "CollageLayer", "inputs": {"image": ["image", 0], **LAYER}},
            "load": {"class_type": "CollageEmbeddingLoad", "inputs": load},
            "stack": {
                "class_type": "CollageStack",
                "inputs": {**stack, "layers.layer0": ["load", 0]},
            },
            "show": {"class_type": "PreviewImage", "inputs": {"images": ["stack", 1]}},
        }
        valid, *problems = asyncio.run(execution.validate_prompt("id", prompt, None))
        return "" if valid else json.dumps(problems)

    EMPTY = {"width": 16, "height": 16, "batch_size": 1, "color": 0}
    LAYER = {
        "text": "bear", "x": 0.5, "y": 0.5, "scale": 1.0, "rotation": 0.0, "opacity": 1.0,
        "noise": 0.6, "attract": 0.3, "repel": 0.5, "control": 1.0, "visible": True,
    }  # fmt: skip
    assert refusal("fur") == ""
    assert "gone.safetensors" in refusal("gone")


@pytest.mark.parametrize(
    ("tables", "key", "width"),
    [
        ({"l": torch.ones(2, 768)}, "clip_l", 768),
        ({"h": torch.ones(3, 1024)}, "clip_h", 1024),
        ({"l": torch.ones(1, 128)}, "clip_l", 128),
        (SDXL, "clip_l", 768),
        (SDXL, "clip_g", 1280),
    ],
)
def test_the_hosts_own_reader_finds_our_vectors(put, folder, tables, key, width) -> None:
    put("col_bear_0123456789", tables)
    found = comfy.sd1_clip.load_embed("col_bear_0123456789", [str(folder)], width, key)
    wanted = next(table for table in tables.values() if table.shape[1] == width)
    assert_close(found, wanted, rtol=0, atol=0)


def test_a_published_embedding_is_a_word_of_every_prompt(store, folder, vectors) -> None:
    with store.job("ab" * 32, "teddy bear") as job:
        name = job.publish(vectors, {})
    tokenizer = comfy.sd1_clip.SD1Tokenizer(embedding_directory=[str(folder)])
    tokens = tokenizer.tokenize_with_weights(f"a embedding:{name} teddy bear")["l"]
    assert_close(torch.stack(embedded(tokens)), vectors["l"], rtol=0, atol=0)


def test_both_encoders_of_sdxl_get_theirs(store, folder) -> None:
    with store.job("cd" * 32, "teddy bear") as job:
        name = job.publish(SDXL, {})
    tokenizer = comfy.sdxl_clip.SDXLTokenizer(embedding_directory=[str(folder)])
    tokens = tokenizer.tokenize_with_weights(f"a embedding:{name} teddy bear")
    for encoder, table in SDXL.items():
        assert_close(torch.stack(embedded(tokens[encoder])), table, rtol=0, atol=0)
