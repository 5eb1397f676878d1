"""Join pictures from left to right. Run with the host's Python for its Pillow."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

GAP = 8  # pixels between two


def join(pictures: Sequence[Path], target: Path) -> None:
    """Write the pictures next to each other, all scaled to the height of the first."""
    scaled: list[Image.Image] = []
    for path in pictures:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        height = scaled[0].height if scaled else picture.height
        if picture.height != height:
            width = round(picture.width * height / picture.height)
            picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        scaled.append(picture)
    width = sum(picture.width for picture in scaled) + GAP * (len(scaled) - 1)
    sheet = Image.new("RGB", (width, scaled[0].height), "white")
    left = 0
    for picture in scaled:
        sheet.paste(picture, (left, 0))
        left += picture.width + GAP
    sheet.save(target)


if __name__ == "__main__":
    *sources, result = (Path(argument) for argument in sys.argv[1:])
    join(sources, result)
