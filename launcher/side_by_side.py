"""Join two pictures, composite left and result right. Run with the host's Python for its Pillow."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

GAP = 8  # pixels between the two


def join(left: Path, right: Path, target: Path) -> None:
    """Write both pictures next to each other, the right one scaled to the height of the left."""
    with Image.open(left) as first, Image.open(right) as second:
        a, b = first.convert("RGB"), second.convert("RGB")
    if b.height != a.height:
        b = b.resize((round(b.width * a.height / b.height), a.height), Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", (a.width + GAP + b.width, a.height), "white")
    sheet.paste(a, (0, 0))
    sheet.paste(b, (a.width + GAP, 0))
    sheet.save(target)


if __name__ == "__main__":
    join(*(Path(argument) for argument in sys.argv[1:4]))
