"""CollageLayer and CollageStack in prompts of the API form, through the host's executor."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

GREY = "#969696"


def test_a_prompt_in_api_form_runs(api, temp_folder, write_png, prompt_of):
    write_png("red.png", "RGBA", (255, 0, 0, 255))
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
def test_load_image_gives_every_kind_of_png_its_alpha(
    api, temp_folder, mode, colour, alpha, write_png, prompt_of
):
    write_png("red.png", mode, colour)
    done = api(prompt_of(background="#000000"))
    assert (done.refused, done.error) == ("", "")
    picture = Image.open(temp_folder / "temp" / done.ui["stack"]["images"][0]["filename"])
    red = 255 if mode.startswith("RGB") else 76
    assert np.asarray(picture)[32, 16, 0] == pytest.approx(red * alpha / 255, abs=2)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"prompt": "a hat"}, 'layer 1 "bear", input text: does not stand in the prompt'),
        ({"prompt": ""}, 'The prompt is ""'),
    ],
)
def test_bad_stacks_fail_with_a_sentence(api, inputs, said, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    done = api(prompt_of(**inputs))
    assert "CollageStack" in done.error
    assert said in done.error


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"width": 100}, "input width: 100 is not a multiple of 8. Use 96 or 104"),
        ({"background": "red"}, r'input background: "red" is not a colour'),
        ({"prompt": "a bear (x:nan)"}, "weight nan"),
        ({"background_image": "red.png"}, 'input background_image: the text "red.png" is no IMAGE'),
        ({"colage": "x"}, "has no input colage. Did you mean collage? Disconnect it"),
        ({"layers.layer7x": ["layer0", 0]}, "has no input layers.layer7x. Disconnect it"),
        ({"layers.layer1": "bear"}, 'input layers.layer1: the text "bear" is no COLLAGE_LAYER'),
    ],
)
def test_what_is_known_is_refused_before_anything_runs(api, inputs, said, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    refused = api(prompt_of(**inputs)).problems["stack"]["errors"]
    (sentence,) = [error["details"].strip() for error in refused]
    assert sentence.startswith("CollageStack")
    assert said in sentence


def test_what_other_packs_put_on_every_node_does_no_harm(api, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    done = api(prompt_of(speak_and_recognation={"__value__": [False, True]}, audioUI="", seed=3))
    assert (done.refused, done.error) == ("", "")


def test_nothing_at_a_layers_socket_is_refused(api, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    done = api(prompt_of(**{"layers.layer1": None}))
    assert "CollageStack, input layers.layer1: nothing arrived (None)." in done.error


def test_the_page_is_told_a_plain_name_of_the_error(pack):
    import execution

    assert execution.full_type_name(pack.collage_core.errors.CollageError) == "CollageError"


def test_a_stack_without_layers_fails_with_a_sentence(api, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    assert "no layer is connected" in api(prompt_of(layers=0)).error


def test_64_layers_run_and_65_do_not(api, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    done = api(prompt_of(layers=64))
    assert (done.refused, done.error) == ("", "")
    refused = api(prompt_of(layers=65)).refused
    assert "no input layers.layer64. Disconnect it, or use one of" in refused
    assert "layers.layer0 to layers.layer63" in refused


@pytest.mark.parametrize(("name", "value"), [("noise", 1.5), ("scale", 0.0), ("opacity", -0.1)])
def test_values_out_of_range_are_refused_before_anything_runs(
    api, name, value, write_png, prompt_of
):
    write_png("red.png", "RGB", (255, 0, 0))
    prompt = prompt_of()
    prompt["layer0"]["inputs"][name] = value
    done = api(prompt)
    assert name in done.refused
    assert str(value) in done.refused


def test_an_empty_text_fails_with_a_sentence(api, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    prompt = prompt_of()
    prompt["layer0"]["inputs"]["text"] = " "
    assert "CollageLayer, input text:" in api(prompt).refused


def test_unreadable_words_that_it_must_not_show_fail_before_the_run(api, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    prompt = prompt_of()
    prompt["layer0"]["inputs"]["negative"] = "embedding: "
    assert "CollageLayer, input negative:" in api(prompt).refused


def test_the_editing_nodes_run_in_one_prompt(api, temp_folder, write_png, prompt_of):
    """A stack, its picture edited, put back, given out by layers and taken apart."""
    write_png("red.png", "RGB", (255, 0, 0))
    picture = ["stack", 1]
    nodes = {
        "edit": (
            "CollageEdit",
            {"collage": ["stack", 0], "image": picture, "layers": "bear", "noise": 0.5,
             "phrase": "fox", "feather": 2.0, "paste": True, "before": ["stack", 0]},
        ),
        "back": (
            "CollagePasteBack",
            {"original": picture, "new": ["edit", 1], "feather": 2.0, "collage": ["edit", 0],
             "mask": ["edit", 2]},
        ),
        "layers": (
            "CollageLayers",
            {"collage": ["edit", 0], "background": GREY, "base_noise": 0.8, "feather": 10.0,
             "image": ["back", 0]},
        ),
        "split": ("CollageSplit", {"collage": ["edit", 0], "image": ["back", 0]}),
    }  # fmt: skip
    prompt = prompt_of()
    prompt |= {
        name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()
    }
    for name, slot in (("edit", 1), ("back", 0), ("layers", 0), ("split", 1)):
        shown = {"class_type": "PreviewImage", "inputs": {"images": [name, slot]}}
        prompt[f"show {name}"] = shown
    done = api(prompt)
    assert (done.refused, done.error) == ("", "")
    assert {f"show {name}" for name in nodes} <= set(done.ui)
