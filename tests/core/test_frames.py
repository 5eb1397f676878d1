"""A batch of pictures with masks becomes layers: places, words, background, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from collage_core.collage.frames import Frames, check_texts, read_frames
from collage_core.collage.report import describe_collage
from collage_core.collage.stack import new_canvas, with_layers, with_picture
from collage_core.errors import CollageError
from collage_core.imaging.colour import GREY

H, W = 48, 64
PROMPT = "a table, a mug and a lemon"
TEXTS = "a table\na mug\na lemon"
BOXES = ((0, H, 0, W), (8, 31, 5, 20), (24, 48, 40, 64))


def pictures(count: int = 3, size: tuple[int, int] = (H, W)) -> torch.Tensor:
    return torch.rand(count, *size, 3, generator=torch.Generator().manual_seed(0))


def boxes(size: tuple[int, int] = (H, W)) -> torch.Tensor:
    """[3, H, W]: all, and two rectangles."""
    masks = torch.zeros(len(BOXES), *size)
    for mask, (top, bottom, left, right) in zip(masks, BOXES, strict=True):
        mask[top:bottom, left:right] = 1
    masks[0] = 1
    return masks


def stack(frames: Frames):
    canvas = new_canvas(frames.width, frames.height, GREY)
    if frames.background is not None:
        canvas = with_picture(canvas, frames.background, GREY)
    return with_layers(canvas, frames.prompt, frames.layers)


def refused(*args: Any) -> str:
    with pytest.raises(CollageError) as error:
        read_frames(*args)
    assert str(error.value).startswith("CollageFromBatch, input ")
    return str(error.value)


@pytest.mark.parametrize("channel", [False, True])
def test_every_picture_lies_where_it_lies_in_its_frame(channel: bool):
    images, masks = pictures(), boxes()
    if channel:
        images, masks = torch.cat([images, masks.unsqueeze(-1)], -1), None
    read = read_frames(images, masks, TEXTS, PROMPT)
    assert [layer.text for layer in read.layers] == ["a table", "a mug", "a lemon"]
    assert read.background is None
    assert read.notes == ()
    wanted = images[0, ..., :3]
    for image, mask in zip(images[1:, ..., :3], boxes()[1:], strict=True):
        wanted = torch.where(mask.bool().unsqueeze(-1), image, wanted)
    assert torch.equal(stack(read).composite.image[0], wanted), "to the bit"
    assert read.layers[1].alpha.shape == (1, 23, 15), "cut to what can be seen"


def test_the_parts_of_the_prompt_are_the_words_where_there_is_no_text():
    read = read_frames(pictures(), boxes(), " \n", PROMPT)
    assert [layer.text for layer in read.layers] == ["a table", "a mug", "a lemon"]


def test_an_empty_prompt_is_made_of_the_texts():
    assert read_frames(pictures(), boxes(), TEXTS, "").prompt == "a table, a mug, a lemon"


@pytest.mark.parametrize(("texts", "prompt"), [("a mug\na lemon", PROMPT), ("", "a mug, a lemon")])
def test_the_first_picture_without_words_is_the_background(texts: str, prompt: str):
    images = pictures()
    read = read_frames(images, boxes(), texts, prompt)
    assert [layer.text for layer in read.layers] == ["a mug", "a lemon"]
    assert read.background is not None
    assert torch.equal(read.background, images[:1])
    assert "the first picture is the background" in read.notes[0]
    both = read_frames(images, boxes(), TEXTS, PROMPT)
    assert_close(stack(read).composite.image, stack(both).composite.image)


@pytest.mark.parametrize("where", ["mask", "channel"])
def test_a_first_picture_with_a_hole_is_no_background(where: str):
    images, masks = pictures(), boxes()
    if where == "mask":
        masks[0, 0, 0] = 0.5
    else:
        images = torch.cat([images, masks.unsqueeze(-1)], -1)
        images[0, 0, 0, 3] = 0.5
        masks = None
    said = refused(images, masks, "a mug\na lemon", PROMPT)
    assert "input texts: there are 2 texts for 3 pictures, and the first picture has" in said


def test_one_photo_with_masks_is_its_own_background():
    photo = pictures(1)
    read = read_frames(photo, boxes()[1:], "a mug\na lemon", PROMPT)
    assert read.background is not None
    assert torch.equal(read.background, photo)
    assert torch.equal(stack(read).composite.image, photo)
    seen = stack(read).composite.visible_alpha[0]
    assert torch.equal(seen, boxes()[1:])
    assert "background is the picture in which the masks lie" in read.notes[0]


def test_a_rim_of_less_than_a_cell_is_cut_off_evenly():
    size = (H + 7, W + 2)
    images, masks = pictures(3, size), boxes(size)
    read = read_frames(images, masks, TEXTS, PROMPT)
    assert (read.width, read.height) == (W, H)
    plain = read_frames(images[:, 3:-4, 1:-1], masks[:, 3:-4, 1:-1], TEXTS, PROMPT)
    assert torch.equal(stack(read).composite.image, stack(plain).composite.image)
    assert "frames of 66 x 55 pixels were cut to 64 x 48" in read.notes[0]


def test_one_is_the_object_and_the_other_way_round_is_noted():
    read = read_frames(pictures(), 1 - boxes(), TEXTS, PROMPT)
    report = describe_collage(stack(read))
    assert report.count("where 1 is meant to be transparent, put an InvertMask before it") == 2
    assert "fully transparent" in report, "the first"
    assert "InvertMask" not in describe_collage(
        stack(read_frames(pictures(), boxes(), TEXTS, PROMPT))
    )


def test_a_small_object_is_no_inverted_mask():
    masks = boxes()
    masks[1] = 0
    masks[1, 4:8, 4:8] = 1
    assert read_frames(pictures(), masks, TEXTS, PROMPT).layers[1].notes == ()


def test_masks_of_another_size_are_stretched():
    read = read_frames(pictures(), boxes()[:, ::2, ::2], TEXTS, PROMPT)
    assert "was stretched to the image's 64 x 48" in read.layers[1].notes[0]


@pytest.mark.parametrize(
    ("images", "masks", "texts", "said"),
    [
        (pictures(3), torch.ones(2, H, W), TEXTS, "input masks: 2 masks do not fit 3 pictures"),
        (pictures(4), None, "a\nb", "input texts: it has 2 lines for 4 pictures"),
        (pictures(2), None, "a\nb\nc", "input texts: it has 3 lines for 2 pictures"),
        (pictures(5), None, "", 'it is empty, and the prompt has "a table", "a mug", "a lemon"'),
        (pictures(1), boxes(), "a\nb", "input texts: it has 2 lines for 3 pictures"),
        (pictures(3), None, "a\n\nb", "input texts: line 2 is empty"),
        (pictures(1, (5, 64)), None, "a", "input images: frames of 64 x 5 pixels are smaller"),
    ],
)
def test_what_does_not_fit_is_refused(images: Any, masks: Any, texts: str, said: str):
    assert said in refused(images, masks, texts, PROMPT)


@pytest.mark.parametrize(
    ("texts", "prompt", "said"),
    [("", " ", "it is empty, and so is"), ("a\n\nb", None, "line 2 is empty"),
     ("embedding: ", "a", "texts: "), ("a", "(a:inf)", "prompt: ")],
)  # fmt: skip
def test_texts_are_refused_before_a_run(texts: str | None, prompt: str | None, said: str):
    with pytest.raises(CollageError, match=f"CollageFromBatch, input .*{said}"):
        check_texts(texts, prompt)


@pytest.mark.parametrize(("texts", "prompt"), [(None, ""), ("", None), ("a", ""), ("", "a")])
def test_texts_that_may_yet_fit_pass(texts: str | None, prompt: str | None):
    check_texts(texts, prompt)
