"""What the report of a stack says, and when it warns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer
from collage_core.collage.report import describe_collage

WIDTH, HEIGHT = 80, 40


def layer(text: str, width: int = 40, height: int = 40, alpha: float = 1.0, **more: Any) -> Layer:
    return Layer(
        image=torch.ones(1, height, width, 3),
        alpha=torch.full((1, height, width), alpha),
        text=text,
        **more,
    )


def report(prompt: str, *layers: Layer, **more: Any) -> str:
    background = torch.zeros(1, HEIGHT, WIDTH, 3)
    return describe_collage(
        Collage(
            width=WIDTH, height=HEIGHT, prompt=prompt, background=background, layers=layers, **more
        )
    )


def block(text: str, number: int) -> list[str]:
    """The lines about one layer."""
    return next(b for b in text.split("\n\n") if b.startswith(f"{number} ")).split("\n")


def notes(text: str, number: int) -> list[str]:
    return [line.strip()[2:] for line in block(text, number) if line.startswith("    ! ")]


def test_a_healthy_stack_reads_like_this():
    bear = layer("bear", x=0.25, noise=0.35)
    hat = layer("red hat", width=20, height=20, x=0.25, alpha=0.5)
    assert report("a bear with a Red  hat", bear, hat).split("\n") == [
        "Canvas 80 x 40 pixels, 2 of 2 layers shown, the background on 50.0 % of it.",
        "",
        '1 "bear": characters 3 to 6; visible on 43.8 % of the canvas; noise 0.35',
        '    hidden: 12.5 % by layer 2 "red hat"',
        "",
        '2 "red hat": characters 15 to 22; visible on 6.2 % of the canvas; noise 0.6',
    ]


def test_a_batch_says_how_many_pictures_are_made_and_why():
    one, two = layer("bear"), layer("red hat")
    three = replace(two, image=two.image.expand(3, -1, -1, -1), alpha=two.alpha.expand(3, -1, -1))
    assert "pictures" not in report("a bear with a red hat", one, two)
    assert report("a bear with a red hat", one, three).split("\n")[1] == (
        '3 pictures are made, as many as layer 2 "red hat" has; parts with one picture are in each.'
    )
    both = report("a red hat", three, replace(three, visible=False)).split("\n")[1]
    assert both.startswith('3 pictures are made, as many as layer 1 "red hat" has;')


def test_a_phrase_that_stands_very_often_is_not_listed_to_the_end():
    said = block(report("bear " * 100, layer("bear")), 1)
    assert said[0].startswith('1 "bear": characters 1 to 4, 6 to 9, 11 to 14, ')
    assert "36 to 39 and 92 places more; visible" in said[0]
    assert said[1].startswith("    ! its words stand 100 times")


def test_signs_of_other_programs_are_notes():
    said = report("a bear AND a {red|blue} hat", layer("bear")).split("\n")
    assert said[0].endswith(" 2 notes, marked with !.")
    assert said[1].startswith('! "{red|blue}" has no meaning in ComfyUI: only ComfyUI\'s page')
    assert said[2].startswith('! "AND" has no meaning in ComfyUI')


def test_the_first_line_counts_the_notes():
    first = report("bear", layer("bear", notes=("odd",)), notes=("even",)).split("\n")[0]
    assert first.endswith(" 2 notes, marked with !.")
    assert (
        report("bear", layer("bear", notes=("odd",)))
        .split("\n")[0]
        .endswith(" 1 note, marked with !.")
    )


def test_notes_of_layers_and_stack_are_passed_on():
    said = report("bear", layer("bear", notes=("odd",)), notes=("even",))
    assert notes(said, 1) == ["odd"]
    assert "\n! even\n" in said


def test_hidden_layers_take_no_part():
    said = report("a bear", layer("nowhere", visible=False), layer("bear"))
    assert block(said, 1) == ['1 "nowhere" is hidden and takes no part.']
    assert "1 of 2 layers shown" in said
    assert '2 "bear": characters 3 to 6' in said


def test_nothing_shown_at_all():
    said = report("", layer("bear", visible=False))
    assert "! No layer is shown" in said
    assert "the background on 100.0 % of it" in said


def test_a_covered_layer_says_by_what():
    said = report("bear hat box", layer("bear"), layer("hat", width=20), layer("box"))
    assert block(said, 1)[0].endswith("visible on 0 % of the canvas; noise 0.6")
    assert block(said, 1)[1] == '    hidden: 100.0 % by layer 3 "box"'
    assert notes(said, 1) == ["is fully covered"]
    assert notes(said, 3) == []


def test_a_layer_outside_the_canvas():
    assert notes(report("bear", layer("bear", x=3.0)), 1) == ["lies wholly outside the canvas"]
    assert notes(report("bear", layer("bear", x=0.9)), 1) == [
        "30.0 % of it lies outside the canvas"
    ]


def test_a_layer_larger_than_the_canvas_is_told_what_helps():
    photo = {"width": 100, "height": 160}
    (said,) = notes(report("bear", layer("bear", **photo)), 1)
    assert said == (
        "80.0 % of it lies outside the canvas: it is 100 x 160 pixels there; fit contain makes it "
        "as large as the canvas"
    )
    for width, height in ((160, 30), (30, 160)):
        (said,) = notes(report("bear", layer("bear", width=width, height=height)), 1)
        assert f"it is {width} x {height} pixels there" in said
    turned = replace(layer("bear", width=160, height=30), rotation=90.0)
    (said,) = notes(report("bear", turned), 1)
    assert "it is 30 x 160 pixels there" in said
    assert notes(report("bear", layer("bear", fit="contain", **photo)), 1) == []
    assert notes(report("bear", layer("bear", fit="contain", rotation=45.0, **photo)), 1) == []
    twice = layer("bear", fit="contain", scale=2.0, **photo)
    assert notes(report("bear", twice), 1) == ["50.0 % of it lies outside the canvas"]
    assert notes(report("bear", layer("bear", fit="cover", **photo)), 1) == []


def test_an_object_that_was_not_cut_out():
    photo = torch.full((1, 40, 40, 3), 0.97)
    photo[:, ::2] -= 0.02  # JPEG's noise
    photo[:, 10:30, 10:30] = 0.3
    bear = replace(layer("bear"), image=photo)
    (said,) = notes(report("bear", bear), 1)
    assert said.startswith("it is on a ground of one colour that is not transparent: connect the")
    scenery = replace(bear, scale=2.0, fit="cover")
    assert notes(report("bear", scenery), 1) == []
    cut_out = bear.alpha.clone()
    cut_out[:, 0] = 0
    assert notes(report("bear", replace(bear, alpha=cut_out)), 1) == []
    textured = photo.clone()
    textured[:, :, 0] = 0.5
    assert notes(report("bear", replace(bear, image=textured)), 1) == []


def test_a_transparent_layer():
    for bear in (layer("bear", alpha=0.007), layer("bear", opacity=0.0)):
        assert notes(report("bear", bear), 1) == ["is fully transparent: nothing of it can be seen"]


def test_a_layer_below_one_latent_cell():
    small = layer("bear", width=7, height=9)
    assert notes(report("bear", small), 1)[0].startswith("shows less than one latent cell")
    assert notes(report("bear", layer("bear", width=8, height=8)), 1) == []


def test_words_that_stand_twice():
    said = report("bear, bear", layer("bear"))
    assert "characters 1 to 4, 7 to 10;" in block(said, 1)[0]
    assert notes(said, 1) == ["its words stand 2 times in the prompt, and all belong to it"]


def test_words_that_are_shared():
    left, right = (layer("cakes", x=x) for x in (0.25, 0.75))
    said = report("two cakes", layer("x", visible=False), left, right)
    assert notes(said, 2) == ["shares its words with layer 3: they are one region"]
    assert notes(said, 3) == ["shares its words with layer 2: they are one region"]


def test_words_inside_other_words():
    left, right = layer("red hat", x=0.25), layer("hat", x=0.75)
    said = report("red hat", left, right)
    assert notes(said, 1) == []
    assert notes(said, 2) == ["its words stand inside those of layer 1"]


def test_a_layer_linked_twice():
    bear = layer("bear", x=0.25)
    said = report("bear and bear", bear, bear)
    assert notes(said, 2) == ["the same layer as layer 1, stacked once more"]


def test_a_heavy_weight_in_the_prompt():
    assert "! the weight 8 in the prompt is beyond 5" in report("(bear:8)", layer("bear"))
    assert "weight" not in report("(bear:1.3)", layer("bear"))


def test_tiny_shares_are_not_rounded_to_nothing():
    assert "visible on 0.031 % of the canvas" in report("bear", layer("bear", width=1, height=1))


def test_a_share_that_only_rounding_leaves_is_none():
    thirds = [
        layer(f"glass {n}", width=80, alpha=alpha) for n, alpha in enumerate((1.0, 1 / 3, 0.7))
    ]
    said = report("glass 0 glass 1 glass 2", *thirds)
    assert "the background on 0 % of it" in said
