"""Text in pictures: which font has a letter, and what fits into a line."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from collage_core.imaging import lettering
from collage_core.imaging.lettering import LOST, pieces, shortened, width, wrapped, write

SIZE = 20


def drawn(text: str) -> np.ndarray:
    picture = Image.new("L", (400, 40))
    write(ImageDraw.Draw(picture), (4, 30), text, SIZE, "white")
    return np.asarray(picture)


@pytest.fixture
def no_system_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def forget() -> None:
        lettering._fonts.cache_clear()
        lettering._font_of.cache_clear()

    monkeypatch.setattr(lettering, "SYSTEM_FONTS", ("no such font.ttf",))
    forget()
    yield
    monkeypatch.undo()
    forget()


@pytest.mark.usefixtures("no_system_fonts")
def test_letters_that_no_font_has_are_a_visible_sign() -> None:
    assert [text for text, _ in pieces("sushi \u5bff\u53f8, \u4e09 roll", SIZE)] == [
        "sushi ", LOST, ", ", LOST, " roll"
    ]  # fmt: skip
    assert (drawn("\u5bff\u53f8") == drawn("?")).all()
    assert drawn("?").any()


def test_a_line_is_cut_where_the_font_changes() -> None:
    found = pieces("  salmon\n \u5bff\u53f8 ", SIZE)
    if len(found) == 1 or found[-1][0] == LOST:
        pytest.skip("this system has no font with these letters")
    assert [text for text, _ in found] == ["salmon ", "\u5bff\u53f8"]
    assert width("salmon \u5bff\u53f8", SIZE) == sum(font.getlength(text) for text, font in found)
    assert (drawn("\u5bff") != drawn("\u53f8")).any()


def test_the_first_font_of_the_system_that_has_the_letters_is_taken() -> None:
    fonts = [font for font in lettering._fonts(SIZE) if lettering._has(font, "\u0436")]
    if not fonts:
        pytest.skip("this system has no font with this letter")
    assert pieces("\u0436\u0443\u043a", SIZE) == [("\u0436\u0443\u043a", fonts[0])]
    assert isinstance(fonts[0], ImageFont.FreeTypeFont)


def test_what_does_not_fit_is_cut() -> None:
    assert shortened("a  blue\nmug", SIZE, 400) == "a blue mug"
    short = shortened("very " * 2000, SIZE, 200)
    assert short.startswith("very very")
    assert short.endswith("\u2026")
    assert width(short, SIZE) <= 200 < width(short + "very", SIZE)
    assert shortened("mug", SIZE, 5) == ""


def test_lines_break_at_white_space_and_inside_long_words() -> None:
    lines = wrapped("a blue mug on " + "x" * 60, SIZE, 150)
    assert lines[0] == "a blue mug on"
    assert "".join(lines[1:]) == "x" * 60
    assert max(width(line, SIZE) for line in lines) <= 150
    assert wrapped("", SIZE, 150) == [""]
