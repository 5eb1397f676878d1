"""Join pictures in rows. Run with the host's Python for its Pillow."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

GAP = 8  # pixels between two


def join(pictures: Sequence[Path], target: Path, columns: int) -> None:
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
    rows = [scaled[start : start + columns] for start in range(0, len(scaled), columns)]
    width = max(sum(picture.width + GAP for picture in row) for row in rows) - GAP
    height = (scaled[0].height + GAP) * len(rows) - GAP
    sheet = Image.new("RGB", (width, height), "white")
    for number, row in enumerate(rows):
        left = 0
        for picture in row:
            sheet.paste(picture, (left, number * (picture.height + GAP)))
            left += picture.width + GAP
    sheet.save(target)


if __name__ == "__main__":
    across, *sources, result = sys.argv[1:]
    join([Path(source) for source in sources], Path(result), int(across))
