"""CollageLayer and CollageStack in prompts of the API form, through the host's executor."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image


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
        ({"width": 100}, "input width: 100 is not a multiple of 8. Use 96 or 104"),
        ({"background": "red"}, 'input background: "red" is not a colour'),
        ({"prompt": "a hat"}, 'layer 1 "bear", input text: does not stand in the prompt'),
        ({"prompt": ""}, 'The prompt is ""'),
        ({"prompt": "a bear (x:nan)"}, "weight nan"),
    ],
)
def test_bad_stacks_fail_with_a_sentence(api, inputs, said, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    done = api(prompt_of(**inputs))
    assert "CollageStack" in done.error
    assert said in done.error


def test_a_stack_without_layers_fails_with_a_sentence(api, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    assert "no layer is connected" in api(prompt_of(layers=0)).error


def test_64_layers_run_and_65_do_not(api, write_png, prompt_of):
    write_png("red.png", "RGB", (255, 0, 0))
    done = api(prompt_of(layers=64))
    assert (done.refused, done.error) == ("", "")
    assert "at most 64" in api(prompt_of(layers=65)).error


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
    assert "CollageLayer, input text:" in api(prompt).error
