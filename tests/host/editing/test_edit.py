"""CollageEdit before the attention patch and the sampler."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch.testing import assert_close

WIDGETS = {"layers": "cake", "noise": 0.6, "phrase": "", "feather": 0.0, "paste": False}
KSAMPLER = {
    "seed": 5, "steps": 2, "cfg": 3.0, "sampler_name": "euler_ancestral", "scheduler": "normal",
    "base_noise": 0.8, "feather": 30.0,
}  # fmt: skip


@pytest.fixture
def edit(execute):
    def run(collage, image, **inputs: Any):
        return execute("CollageEdit", collage=collage, image=image, **WIDGETS | inputs)

    return run


@pytest.fixture
def paint(execute, model, clip, vae):
    """Sample a collage with the words of its layers in their places."""

    def run(collage, **inputs: Any):
        words = execute(
            "MaskedCrossAttentionPatch", model=model, clip=clip, collage=collage,
            schedule="paper", strength=1.0, start_percent=0.0, end_percent=1.0,
        )  # fmt: skip
        negative = clip.encode_from_tokens_scheduled(clip.tokenize(""))
        return execute(
            "PerLayerNoiseKSampler", model=words.model, collage=collage, vae=vae,
            positive=words.positive, negative=negative, **KSAMPLER | inputs,
        )  # fmt: skip

    return run


def test_the_sampler_redraws_the_chosen_layer_of_the_picture_and_nothing_else(
    edit, paint, vae, collage, picture
) -> None:
    """Whatever its own base_noise and feather say."""
    result = picture()
    edited = edit(collage(), result)
    assert torch.equal(edited.image, result)
    sampled = paint(edited.collage)
    original = vae.encode(result)
    inside = torch.zeros(6, 8, dtype=torch.bool)
    inside[2:4, 3:5] = True
    found = sampled.latent["samples"][0]
    assert torch.equal(found[:, ~inside], original[0][:, ~inside])
    assert (found[:, inside] - original[0][:, inside]).abs().mean() > 0.01
    assert torch.equal(sampled.noise_map, edited.noise_map)


@pytest.mark.parametrize("halo", [0, 6])
def test_the_sampler_and_every_other_node_use_one_map_of_an_edit(
    pack, edit, execute, paint, collage, picture, layer, halo
) -> None:
    """Also where a layer was moved, and where another one was stacked on top later."""
    before = collage()
    cup, jug, cake = before.layers
    moved = before.with_layers((cup, jug, dataclasses.replace(cake, x=0.125)))
    edited = edit(moved, picture(), feather=2.0, paste=True, before=before)
    stack = execute(
        "CollageStack", prompt="a cup, a cake and an egg", width=64, height=64,
        background="#969696", layers={"layer0": layer("egg", x=0.9, noise=0.3)},
        collage=edited.collage,
    ).collage  # fmt: skip
    noise_map = pack.collage_core.noise.noise_map.noise_map
    for one, noises in ((edited.collage, [0.0, 0.6]), (stack, [0.0, 0.6, 0.3])):
        expected = noise_map(one.composite.visible_alpha, noises, 0.0, 2.0, halo)
        expected = torch.maximum(expected, one.edit.minimum_noise).squeeze(1)
        sampled = paint(one, halo=halo)
        given = {"background": "#969696", "base_noise": 0.1, "feather": 5.0, "halo": halo}
        layers = execute("CollageLayers", collage=one, **given)
        assert torch.equal(sampled.noise_map, expected)
        assert torch.equal(layers.noise_map, expected)
        assert torch.equal(layers.noise_preview, sampled.noise_preview)
    if halo == 0:
        assert torch.equal(edited.noise_map, paint(edited.collage).noise_map)


def test_another_phrase_reaches_the_prompt_and_the_words_of_the_layer(
    edit, execute, model, clip, collage, picture
) -> None:
    edited = edit(collage(), picture(), phrase="pie")
    assert edited.prompt == "a cup and a pie"
    report = execute(
        "MaskedCrossAttentionPatch", model=model, clip=clip, collage=edited.collage,
        schedule="paper", strength=1.0, start_percent=0.0, end_percent=1.0,
    ).report  # fmt: skip
    assert '3 "pie": tokens ' in report


def test_the_result_of_an_edit_is_edited_again(edit, paint, vae, collage, picture) -> None:
    first = edit(collage(), picture(), layers="cup")
    painted = vae.decode(paint(first.collage).latent["samples"])
    second = edit(first.collage, painted)
    assert_close(second.collage.composite.image, painted, rtol=0, atol=0)
    assert [one.noise for one in second.collage.layers] == [0.0, 0.0, 0.6]


def test_a_layer_put_onto_an_edited_stack_shows_on_the_picture(
    edit, execute, collage, picture, layer
) -> None:
    edited = edit(collage(), picture()).collage
    stack = execute(
        "CollageStack", prompt="a cup, a cake and an egg", width=64, height=64,
        background="#969696", layers={"layer0": layer("egg", x=0.875, y=0.5)}, collage=edited,
    )  # fmt: skip
    assert_close(stack.image[0, 16:32, 48:], stack.collage.layers[3].image[0])
    assert torch.equal(stack.image[:, :, :48], edited.composite.image[:, :, :48])
    assert "It starts from a finished picture" in stack.report


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"noise": 1.5}, "CollageEdit, input noise: 1.5 is outside 0 to 1"),
        ({"feather": -1.0}, "CollageEdit, input feather: -1 is outside 0 to 512"),
        ({"layers": "tea"}, 'CollageEdit, input layers: "tea" is no layer'),
    ],
)
def test_bad_inputs_are_refused(edit, collage, picture, refused, inputs, said) -> None:
    assert said in refused(edit, collage(), picture(), **inputs)


def test_words_that_are_not_in_the_prompt_are_refused(edit, collage, picture, refused) -> None:
    assert '3 "cake"' in refused(edit, collage(prompt="a cup"), picture())


def test_every_input_reaches_the_edit(edit, collage, picture) -> None:
    before = collage()
    cup, jug, cake = before.layers
    moved = before.with_layers((cup, jug, dataclasses.replace(cake, x=0.125)))
    inputs = {"noise": 0.3, "feather": 2.0, "paste": True, "before": before}
    out = edit(moved, picture(), layers="0\ncake", **inputs)
    assert out.collage.edit.base_noise == 0.3
    assert out.collage.edit.feather == 2.0
    assert_close(out.image[0, 16:32, :16], cake.image[0])
    assert "Taken away" in out.report
