"""What the node refuses, and how it says so."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def refused(pack, run):
    """The message of the CollageError that the node raises."""

    def message(model, collage, **inputs) -> str:
        with pytest.raises(pack.collage_core.errors.CollageError) as caught:
            run(model, collage, **inputs)
        assert str(caught.value).startswith("CollageAttentionMap, input ")
        return str(caught.value)

    return message


def test_a_model_that_was_not_patched(refused, model, collage) -> None:
    assert "input model: BaseModel does not come from MaskedCross" in refused(model, collage)


def test_an_attachment_alone_is_no_patch(refused, model, patch, collage) -> None:
    bare = model.clone()
    bare.set_attachments("collage_words", patch(collage).positive)
    assert "input model: BaseModel does not come" in refused(bare, collage)


def test_a_model_of_another_family(refused, tiny, make_model, collage) -> None:
    film = make_model()
    film.model.model_config.unet_config["use_temporal_attention"] = True
    assert "input model: BaseModel is not supported" in refused(film, collage)
    assert "input model: QwenImage does not come from" in refused(tiny.tiny_qwen_image(), collage)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"x": 0.5}, 'its layer 2 "red hat" has another place or another outline'),
        ({"size": (104, 144)}, "it has a canvas of 144 x 104 pixels, not a canvas of 136 x 104"),
        ({"batch": 2}, "it has 2 pictures, not 1 picture"),
        ({"prompt": "a bear", "text": "bear"}, 'its layer 2 is "bear", not "red hat"'),
        ({"prompt": "bear, red hat"}, 'its prompt is "bear, red hat", not "a bear and a red'),
        ({"visible": False}, "it has 0 layers shown, not 2 layers shown"),
    ],
)
def test_another_collage(refused, patch, collage, make_collage, other, told) -> None:
    message = refused(patch(collage).model, make_collage(**other))
    assert f"the collage that MaskedCrossAttentionPatch got: {told}" in message
    assert message.endswith("Connect the same collage to both nodes.")


def test_a_collage_made_anew_is_the_same(run, patch, collage, make_collage) -> None:
    image, _ = run(patch(collage).model, make_collage())
    assert len(image) == 2


def test_no_layer_shown(refused, patch, make_collage) -> None:
    empty = make_collage(visible=False)
    message = refused(patch(empty).model, empty)
    assert "input collage: none of its 2 layers is shown" in message


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ({"size": (104, 144)}, "[1, 4, 13, 18]"),
        ({"channels": 16}, "[1, 16, 13, 17]"),
        ({"batch": 3, "size": (64, 64)}, "[3, 4, 8, 8]"),
    ],
)
def test_a_latent_of_another_shape(refused, patch, collage, finished, shape, found) -> None:
    message = refused(patch(collage).model, collage, latent=finished(**shape))
    assert f"input latent: a latent of shape {found} is not [batch, 4, 13, 17]" in message


def test_a_latent_of_several_parts(refused, patch, collage, finished) -> None:
    from comfy.nested_tensor import NestedTensor

    parts = {"samples": NestedTensor([finished()["samples"], finished()["samples"]])}
    assert "a latent of several parts" in refused(patch(collage).model, collage, latent=parts)


def test_a_latent_that_is_no_picture(refused, patch, collage, finished) -> None:
    patched, latent = patch(collage).model, finished()
    latent["samples"][0, 0, 0, 0] = torch.nan
    assert "input latent: its samples hold NaN" in refused(patched, collage, latent=latent)
    empty = {"samples": torch.zeros(1, 4, 13, 17)}
    assert "input latent: it is empty, so nothing was" in refused(patched, collage, latent=empty)


@pytest.mark.parametrize("steps", [0, 101])
def test_steps_over_a_link(refused, patch, collage, steps) -> None:
    message = refused(patch(collage).model, collage, steps=steps)
    assert f"input steps: {steps} is outside 1 to 100." in message


def test_a_model_whose_blocks_are_never_asked(refused, patch, collage) -> None:
    patched = patch(collage).model
    patched.set_model_unet_function_wrapper(lambda _, args: args["input"])
    message = refused(patched, collage)
    assert "input model: 0 of 14 calls of its attention arrived" in message


def test_a_model_that_is_not_asked_at_every_level(refused, patch, collage) -> None:
    """As packs do that keep what an earlier step gave."""
    patched, kept = patch(collage).model, []

    def every_second(apply_model, args):
        if not kept:
            kept.append(apply_model(args["input"], args["timestep"], **args["c"]))
            return kept[0]
        return kept.pop()

    patched.set_model_unet_function_wrapper(every_second)
    message = refused(patched, collage, steps=3)
    assert "input model: 14 of 21 calls of its attention arrived, so another patch" in message


def test_a_model_that_gives_no_numbers(refused, patch, collage) -> None:
    patched = patch(collage).model

    def broken(apply_model, args):
        return apply_model(args["input"] * torch.nan, args["timestep"], **args["c"])

    patched.set_model_unet_function_wrapper(broken)
    assert "14 calls of its attention gave no finite numbers" in refused(patched, collage)
