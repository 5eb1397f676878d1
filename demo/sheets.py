"""Contact sheets: pictures in rows on one white picture.

`python -m demo.sheets COLUMNS PICTURE... SHEET` joins files; needs Pillow alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from collage_core.storage.atomic_write import writing

if TYPE_CHECKING:
    import torch

GAP = 8  # pixels between two pictures of `join`

Rows = Sequence[Sequence[Image.Image]]


def in_rows(rows: Rows, gap: int) -> Image.Image:
    """Pictures row by row, `gap` pixels apart; what a row leaves free stays white."""
    heights = [max(picture.height for picture in row) for row in rows]
    width = max(sum(picture.width + gap for picture in row) for row in rows) - gap
    sheet = Image.new("RGB", (width, sum(heights) + gap * (len(rows) - 1)), "white")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for picture in row:
            sheet.paste(picture, (left, top))
            left += picture.width + gap
        top += height + gap
    return sheet


def split(pictures: Sequence[Image.Image], columns: int) -> Rows:
    """Rows of so many pictures each; the last row may be shorter."""
    return [pictures[start : start + columns] for start in range(0, len(pictures), columns)]


def read(path: Path) -> Image.Image:
    """A picture file as RGB."""
    with Image.open(path) as opened:
        return opened.convert("RGB")


def to_picture(pixels: torch.Tensor) -> Image.Image:
    """[H, W, 3] in [0, 1] -> RGB."""
    return Image.fromarray((pixels.clamp(0, 1) * 255).round().byte().cpu().numpy())


def save(sheet: Image.Image, path: Path) -> None:
    """Write a PNG that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path, replace=True) as file:
        sheet.save(file, "PNG")


def save_sheet(pictures: torch.Tensor, path: Path, columns: int) -> None:
    """[N, H, W, 3] in [0, 1] -> one PNG without gaps."""
    save(in_rows(split([to_picture(pixels) for pixels in pictures], columns), 0), path)


def join(paths: Sequence[Path], target: Path, columns: int) -> None:
    """Write one PNG of picture files, all scaled to the height of the first."""
    pictures: list[Image.Image] = []
    for path in paths:
        picture = read(path)
        height = pictures[0].height if pictures else picture.height
        if picture.height != height:
            width = round(picture.width * height / picture.height)
            picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        pictures.append(picture)
    save(in_rows(split(pictures, columns), GAP), target)


if __name__ == "__main__":
    across, *sources, result = sys.argv[1:]
    join([Path(source) for source in sources], Path(result), int(across))
