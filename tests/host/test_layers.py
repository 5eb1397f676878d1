"""CollageLayer and CollageStack: their schema, their outputs, and prompts in the API form."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

REFERENCE = Path(__file__).absolute().parents[3] / "shared" / "reference"
GREY = "#969696"


@pytest.fixture
def node_of(pack):
    return lambda name: next(n for n in pack.nodes.NODES if n.__name__ == name)


@pytest.fixture
def layer(node_of):
    """Make a CollageLayer of 16 x 16 white pixels; settings are the node's inputs."""

    def make(text: str = "bear", **inputs: Any):
        inputs = {"image": torch.ones(1, 16, 16, 3), "text": text} | inputs
        return node_of("CollageLayer").execute(**inputs).args[0]

    return make


@pytest.fixture
def stack(node_of, temp_folder):
    """Run CollageStack on layers, 64 x 64 pixels unless told otherwise; its outputs by name."""
    node = node_of("CollageStack")

    def run(*layers, prompt: str = "a bear and a hat", **inputs: Any) -> SimpleNamespace:
        inputs = {"width": 64, "height": 64, "background": GREY} | inputs
        connected = {f"layer{i}": layer for i, layer in enumerate(layers)}
        output = node.execute(prompt=prompt, layers=connected, **inputs)
        names = [out.id for out in node.GET_SCHEMA().outputs]
        return SimpleNamespace(**dict(zip(names, output.args, strict=True)), ui=output.ui)

    return run


@pytest.fixture
def temp_folder(pack, tmp_path, monkeypatch) -> Path:
    import folder_paths

    for kind in ("input", "temp", "output"):
        (tmp_path / kind).mkdir()
        monkeypatch.setattr(folder_paths, f"{kind}_directory", str(tmp_path / kind))
    return tmp_path


@pytest.fixture
def api(temp_folder):
    """Run a prompt in the API form through ComfyUI's validation and executor."""
    import execution

    def run(prompt: dict[str, Any]) -> SimpleNamespace:
        messages: list[tuple[str, dict[str, Any]]] = []
        server = SimpleNamespace(
            client_id="test",
            last_node_id=None,
            send_sync=lambda event, data, _: messages.append((event, data)),
        )
        valid, error, outputs, problems = asyncio.run(execution.validate_prompt("id", prompt, None))
        if not valid:
            return SimpleNamespace(refused=json.dumps([error, problems]), error="", ui={})
        room = {"ram": 0, "ram_inactive": 0}
        cache: Any = execution.CacheType.CLASSIC  # the host's own annotation says bool
        executor = execution.PromptExecutor(server, cache, room)
        executor.execute(prompt, "id", {"client_id": "test"}, outputs)
        errors = [d["exception_message"] for event, d in messages if event == "execution_error"]
        ui = {d["node"]: d["output"] for event, d in messages if event == "executed"}
        return SimpleNamespace(refused="", error="".join(errors), ui=ui)

    return run


def write_png(folder: Path, name: str, mode: str, colour: Any, size: tuple[int, int]) -> None:
    Image.new(mode, size, colour).save(folder / "input" / name)


def prompt_of(layers: int = 1, **stack_inputs: Any) -> dict[str, Any]:
    """LoadImage -> CollageLayer x n -> CollageStack -> PreviewImage."""
    prompt: dict[str, Any] = {
        "load": {"class_type": "LoadImage", "inputs": {"image": "red.png"}},
        "stack": {
            "class_type": "CollageStack",
            "inputs": {
                "prompt": "a bear",
                "width": 64,
                "height": 64,
                "background": GREY,
                **{f"layers.layer{i}": [f"layer{i}", 0] for i in range(layers)},
                **stack_inputs,
            },
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["stack", 1]}},
    }
    for i in range(layers):
        prompt[f"layer{i}"] = {
            "class_type": "CollageLayer",
            "inputs": {
                "image": ["load", 0], "mask": ["load", 1], "text": "bear", "x": 0.25 + i / 100,
                "y": 0.5, "scale": 1.0, "rotation": 0.0, "opacity": 1.0, "noise": 0.6,
                "attract": 0.3, "repel": 0.5, "control": 1.0, "visible": True,
            },
        }  # fmt: skip
    return prompt


def test_inputs_and_outputs_are_the_contract(node_of):
    layer, stack = (node_of(name).GET_SCHEMA() for name in ("CollageLayer", "CollageStack"))
    defaults = {i.id: getattr(i, "default", None) for i in (*layer.inputs, *stack.inputs)}
    assert [i.id for i in layer.inputs] == [
        "image",
        "text",
        "mask",
        "x",
        "y",
        "scale",
        "rotation",
        "opacity",
        "noise",
        "attract",
        "repel",
        "control",
        "visible",
    ]
    assert [i.id for i in stack.inputs] == [
        "prompt",
        "width",
        "height",
        "background",
        "layers",
        "background_image",
        "collage",
    ]
    assert [o.id for o in layer.outputs] == ["layer"]
    assert [o.id for o in stack.outputs] == [
        "collage",
        "image",
        "visible_masks",
        "prompt",
        "report",
    ]
    assert {k: v for k, v in defaults.items() if v not in (None, "")} == {
        "x": 0.5, "y": 0.5, "scale": 1.0, "rotation": 0.0, "opacity": 1.0, "noise": 0.6,
        "attract": 0.3, "repel": 0.5, "control": 1.0, "visible": True,
        "width": 512, "height": 512, "background": GREY,
    }  # fmt: skip
    growing = next(i for i in stack.inputs if i.id == "layers").template
    assert (growing.prefix, growing.min, growing.max) == ("layer", 0, 64)


@pytest.mark.parametrize("name", ["CollageLayer", "CollageStack"])
def test_every_input_has_a_tooltip_and_every_number_a_range(node_of, name):
    schema = node_of(name).GET_SCHEMA()
    assert all(socket.tooltip for socket in (*schema.inputs, *schema.outputs[1:]))
    numbers = [i for i in schema.inputs if i.get_io_type() in ("FLOAT", "INT")]
    assert all(None not in (i.min, i.max, i.step) for i in numbers)
    assert all(i.round for i in numbers if i.get_io_type() == "FLOAT")


def test_every_float_of_a_layer_has_the_range_it_is_checked_with(node_of, pack):
    floats = {
        i.id: (i.min, i.max)
        for i in node_of("CollageLayer").GET_SCHEMA().inputs
        if i.get_io_type() == "FLOAT"
    }
    assert floats == pack.collage_core.collage.LAYER_RANGES


def test_a_layer_keeps_all_its_settings(layer, pack):
    settings = {name: high for name, (_, high) in pack.collage_core.collage.LAYER_RANGES.items()}
    made = layer("hat", **settings, visible=False)
    assert {name: getattr(made, name) for name in settings} == settings
    assert (made.text, made.visible) == ("hat", False)


def test_a_stack_returns_picture_masks_prompt_and_report(layer, stack):
    red = torch.tensor([1.0, 0, 0]).expand(1, 16, 16, 3)
    out = stack(layer("bear", x=0.25), layer("hat", x=0.3125, image=red, noise=0.2))
    assert out.image.shape == (1, 64, 64, 3)
    assert_close(out.image[0, 32, 10], torch.ones(3))
    assert_close(out.image[0, 32, 20], red[0, 0, 0])
    assert_close(out.image[0, 0, 0], torch.full((3,), 150 / 255))
    assert out.visible_masks.shape == (2, 64, 64)
    assert out.visible_masks.sum((1, 2)).tolist() == [16 * 4, 16 * 16]
    assert out.prompt == "a bear and a hat"
    assert '2 "hat": characters 14 to 16' in out.report
    assert [one.text for one in out.collage.layers] == ["bear", "hat"]


def test_layers_come_in_the_order_of_their_numbers(layer, node_of, temp_folder):
    names = [f"layer{i}" for i in (10, 9, 2)]
    layers = {name: layer(f"thing {name}") for name in names}
    prompt = "thing layer2 thing layer9 thing layer10"
    stack = node_of("CollageStack").execute(prompt, 64, 64, GREY, layers).args[0]
    assert [one.text for one in stack.layers] == ["thing layer2", "thing layer9", "thing layer10"]


def test_masks_of_batches_come_layer_by_layer(layer, stack):
    pictures = torch.ones(3, 16, 16, 3)
    mask = torch.tensor([0.0, 1.0, 1.0])[:, None, None].expand(3, 16, 16)
    out = stack(layer("bear", image=pictures), layer("hat", image=pictures, mask=mask))
    assert out.image.shape == (3, 64, 64, 3)
    # the bear under the hat, alone, alone; the hat, no hat, no hat
    assert out.visible_masks[:, 32, 32].tolist() == [0, 1, 1, 1, 0, 0]


def test_hidden_layers_have_no_mask(layer, stack):
    out = stack(layer("bear", visible=False), layer("hat"))
    assert out.visible_masks.shape == (1, 64, 64)
    out = stack(layer("bear", visible=False))
    assert out.visible_masks.shape == (1, 64, 64)
    assert out.visible_masks.max() == 0
    assert "No layer is shown" in out.report


def test_a_stack_shows_its_composite_on_the_node(layer, stack, temp_folder):
    (shown,) = stack(layer("bear")).ui.as_dict()["images"]
    picture = Image.open(temp_folder / "temp" / shown["filename"])
    assert picture.size == (64, 64)
    assert picture.getpixel((32, 32)) == (255, 255, 255)


def test_a_stack_on_a_stack(layer, stack):
    below = stack(layer("bear"), width=64, height=32, background="#ff0000").collage
    out = stack(layer("hat", x=0.1), collage=below, prompt="")
    assert out.image.shape == (1, 32, 64, 3)
    assert out.prompt == "a bear and a hat"
    assert out.visible_masks.shape[0] == 2
    assert "64 x 64 here is not used" in out.report
    picture = torch.zeros(1, 8, 8, 3)
    out = stack(layer("hat", x=0.1), collage=below, background_image=picture)
    assert out.image[0, 0, 63].max() == 0


def test_nodes_leave_their_inputs_alone(node_of, stack, layer):
    image, mask = torch.rand(1, 9, 9, 4) * 3 - 1, torch.rand(1, 5, 5)
    background = torch.rand(1, 70, 50, 4)
    copies = [tensor.clone() for tensor in (image, mask, background)]
    with torch.inference_mode():
        made = layer("bear", image=image, mask=mask, rotation=20.0, scale=0.7)
        below = stack(made).collage
        alpha = made.alpha.clone()
        stack(layer("hat"), collage=below, background_image=background)
    assert_close(made.alpha, alpha, rtol=0, atol=0)
    assert below.layers == (made,)
    for tensor, copy in zip((image, mask, background), copies, strict=True):
        assert_close(tensor, copy, rtol=0, atol=0)


def test_a_prompt_in_api_form_runs(api, temp_folder):
    write_png(temp_folder, "red.png", "RGBA", (255, 0, 0, 255), (20, 30))
    done = api(prompt_of())
    assert (done.refused, done.error) == ("", "")
    assert set(done.ui) == {"stack", "show"}
    shown = done.ui["stack"]["images"][0]
    picture = Image.open(temp_folder / "temp" / shown["filename"])
    assert picture.size == (64, 64)
    assert picture.getpixel((16, 32)) == (255, 0, 0)
    assert picture.getpixel((48, 32)) == (150, 150, 150)


@pytest.mark.parametrize(
    ("mode", "colour", "alpha"),
    [
        ("RGB", (255, 0, 0), 255),
        ("RGBA", (255, 0, 0, 128), 128),
        ("LA", (76, 128), 128),
        ("L", 76, 255),
        ("RGBA", (255, 0, 0, 0), 0),
    ],
)
def test_load_image_gives_every_kind_of_png_its_alpha(api, temp_folder, mode, colour, alpha):
    write_png(temp_folder, "red.png", mode, colour, (20, 30))
    done = api(prompt_of(background="#000000"))
    assert (done.refused, done.error) == ("", "")
    picture = Image.open(temp_folder / "temp" / done.ui["stack"]["images"][0]["filename"])
    red = 255 if mode.startswith("RGB") else 76
    assert np.asarray(picture)[32, 16, 0] == pytest.approx(red * alpha / 255, abs=2)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"width": 100}, "input width: 100 is not a multiple of 8. Use 96 or 104"),
        ({"background": "red"}, 'input background: "red" is not a colour'),
        ({"prompt": "a hat"}, 'layer 1 "bear", input text: does not stand in the prompt'),
        ({"prompt": ""}, 'The prompt is ""'),
        ({"prompt": "a bear (x:nan)"}, "weight nan"),
    ],
)
def test_bad_stacks_fail_with_a_sentence(api, temp_folder, inputs, said):
    write_png(temp_folder, "red.png", "RGB", (255, 0, 0), (20, 30))
    done = api(prompt_of(**inputs))
    assert "CollageStack" in done.error
    assert said in done.error


def test_a_stack_without_layers_fails_with_a_sentence(api, temp_folder):
    write_png(temp_folder, "red.png", "RGB", (255, 0, 0), (20, 30))
    assert "no layer is connected" in api(prompt_of(layers=0)).error


def test_64_layers_run_and_65_do_not(api, temp_folder):
    write_png(temp_folder, "red.png", "RGB", (255, 0, 0), (20, 30))
    done = api(prompt_of(layers=64))
    assert (done.refused, done.error) == ("", "")
    assert "at most 64" in api(prompt_of(layers=65)).error


@pytest.mark.parametrize(("name", "value"), [("noise", 1.5), ("scale", 0.0), ("opacity", -0.1)])
def test_values_out_of_range_are_refused_before_anything_runs(api, temp_folder, name, value):
    write_png(temp_folder, "red.png", "RGB", (255, 0, 0), (20, 30))
    prompt = prompt_of()
    prompt["layer0"]["inputs"][name] = value
    done = api(prompt)
    assert name in done.refused
    assert str(value) in done.refused


def test_an_empty_text_fails_with_a_sentence(api, temp_folder):
    write_png(temp_folder, "red.png", "RGB", (255, 0, 0), (20, 30))
    prompt = prompt_of()
    prompt["layer0"]["inputs"]["text"] = " "
    assert "CollageLayer, input text:" in api(prompt).error


@pytest.mark.skipif(not REFERENCE.exists(), reason="the paper's layers are not here")
@pytest.mark.parametrize("folder", ["bento_box", "cake_table"])
def test_the_papers_layers_compose(api, temp_folder, folder):
    files = sorted((REFERENCE / folder).glob("*.png"))
    texts = [path.stem.replace("_", " ") for path in files]
    prompt = prompt_of(layers=len(files), width=512, height=512, prompt=", ".join(texts))
    for i, path in enumerate(files):
        (temp_folder / "input" / path.name).write_bytes(path.read_bytes())
        prompt[f"load{i}"] = {"class_type": "LoadImage", "inputs": {"image": path.name}}
        prompt[f"layer{i}"]["inputs"] |= {
            "image": [f"load{i}", 0], "mask": [f"load{i}", 1], "text": texts[i], "x": 0.5
        }  # fmt: skip
    del prompt["load"]
    done = api(prompt)
    assert (done.refused, done.error) == ("", "")
    expected = Image.new("RGBA", (512, 512), GREY)
    for path in files:
        expected.alpha_composite(Image.open(path).convert("RGBA"))
    picture = Image.open(temp_folder / "temp" / done.ui["stack"]["images"][0]["filename"])
    difference = torch.tensor(list(picture.convert("RGB").tobytes())).float()
    difference -= torch.tensor(list(expected.convert("RGB").tobytes())).float()
    assert difference.abs().max() <= 2
