"""CollageSplit: a result as a stack again."""

from __future__ import annotations

import dataclasses

import torch
from torch.testing import assert_close


def test_a_result_becomes_a_stack_that_looks_like_it(execute, collage, picture) -> None:
    stack, result = collage(), picture()
    out = execute("CollageSplit", collage=stack, image=result)
    assert_close(out.image, result, rtol=0, atol=1e-5)
    assert_close(out.collage.composite.image, out.image, rtol=0, atol=0)
    assert [one.text for one in out.collage.layers] == ["cup", "jug", "cake"]
    assert '3 "cake": characters 13 to 16' in out.report


def test_a_part_that_is_moved_in_another_stack_shows_what_was_behind(
    execute, collage, picture
) -> None:
    """The cake goes into a stack of its own, elsewhere, over the rest of the parts."""
    result = picture()
    parts = execute("CollageSplit", collage=collage(), image=result).collage
    cup, _, cake = parts.layers
    moved = parts.with_layers((cup, dataclasses.replace(cake, x=0.875, y=0.25)))
    image = moved.composite.image
    assert_close(image[0, 4:20, 48:64], result[0, 16:32, 24:40], rtol=0, atol=1e-5)
    hidden = image[0, 16:32, 24:32]  # the half of the cup that the cake hid
    assert not torch.allclose(hidden, result[0, 16:32, 24:32], atol=0.05)
    assert hidden.var() > 0.02  # the cup's own pixels and no smear


def test_pictures_of_another_size_are_refused(execute, collage, picture, refused) -> None:
    said = refused(execute, "CollageSplit", collage=collage(), image=picture(size=(96, 128)))
    assert said.startswith("CollageSplit, input image: its 128 x 96 pixels are not the 64 x 48")


def test_notes_about_the_picture_stand_in_the_report(execute, collage, picture) -> None:
    out = execute("CollageSplit", collage=collage(), image=picture() * 2)
    assert "! image values from " in out.report
