"""Lines of text in pictures, in any script that Pillow's own font or a font of the system has.

Pillow's own font has little more than ASCII. Fonts of the system are found by their names where
Pillow looks for them, which is in the system's folders of fonts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import groupby

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Piece = tuple[str, Font]

SYSTEM_FONTS = (
    # Linux, Windows, macOS: for Latin, Greek, Cyrillic and more, then for Chinese, Japanese, Korean
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf", "arial.ttf", "msyh.ttc", "YuGothM.ttc", "malgun.ttf",
    "Arial Unicode.ttf", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc",
)  # fmt: skip
NO_LETTER = "\U0010ffff"  # no font has it: what is drawn in its place tells of missing letters
LOST = "?"
LOOKED_AT = 16  # pixels of a letter that is looked for


@lru_cache(maxsize=16)
def _fonts(size: int) -> tuple[Font, ...]:
    return (ImageFont.load_default(size), *_of_system(size))


def _of_system(size: int) -> Iterator[Font]:
    for name in SYSTEM_FONTS:
        with suppress(OSError, ImportError):  # it is not there, or Pillow has no FreeType
            yield ImageFont.truetype(name, size)


@lru_cache(maxsize=2**16)
def _font_of(letter: str) -> int | None:
    """The number of the first font that has a letter, None where none has."""
    fonts = enumerate(_fonts(LOOKED_AT))
    return next((number for number, font in fonts if _has(font, letter)), None)


def _has(font: Font, letter: str) -> bool:
    try:
        return _drawn(font, letter) != _drawn(font, NO_LETTER)
    except UnicodeError:  # Pillow without FreeType knows Latin-1 alone
        return False


def _drawn(font: Font, letter: str) -> bytes:
    picture = Image.new("L", (3 * LOOKED_AT, 3 * LOOKED_AT))
    ImageDraw.Draw(picture).text((LOOKED_AT, LOOKED_AT), letter, 255, font)
    return picture.tobytes()


def pieces(text: str, size: int) -> list[Piece]:
    """A text on one line, cut where the font changes; "?" for each run of letters that none has.

    size: of the letters, in pixels.
    """
    line = " ".join(text.split())
    found: list[Piece] = []
    for number, letters in groupby(line, _font_of):
        found.append((LOST if number is None else "".join(letters), _fonts(size)[number or 0]))
    return found


def width(text: str, size: int) -> float:
    """Pixels that the line takes."""
    return sum(font.getlength(letters) for letters, font in pieces(text, size))


def write(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    ink: str | tuple[int, int, int],
) -> None:
    """Draw a text on one line; place: the left end of its base line."""
    x, y = place
    for letters, font in pieces(text, size):
        draw.text((x, y), letters, ink, font, anchor="ls")
        x += font.getlength(letters)


def shortened(text: str, size: int, room: float) -> str:
    """As much of a line as fits into so many pixels, with an ellipsis where it is cut."""
    whole = " ".join(text.split())
    line = whole[: int(room)]  # of a text of any length, as no letter is narrower than a pixel
    if line == whole and width(line, size) <= room:
        return line
    while line and width(line + "…", size) > room:
        line = line[:-1]
    return line.rstrip() + "…" if line else ""


def wrapped(text: str, size: int, room: float) -> list[str]:
    """The lines of a text that fit into so many pixels each, cut at white space where there is."""
    lines = [""]
    for word in text.split():
        if width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] = f"{lines[-1]} {word}".strip()
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            if lines[-1] and width(lines[-1] + letter, size) > room:
                lines.append("")
            lines[-1] += letter
    return lines
