"""The pictures of all examples on one labelled sheet, for `python3 run.py figures`.

Order and titles of the pictures come from the SaveImage nodes of the workflows.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from ..sheets import in_rows, read, save, split
from .graph import WORKFLOWS

SIDE, GAP, LINE = 256, 12, 20  # pixels
FIGURES = {
    "bento_box_steps": "A bento box step by step, every layer at noise 0.5",
    "toy_box": "A toy box, every layer at noise 0.8",
    "cake_table": "A cake table",
    "trade_off": "Harmony against fidelity: the noise of one layer",
    "iterative_edit": "One thing after the other: what is edited, the rest stays to the byte",
    "learned_look": "A look learned from the layer",
    "layer_loras": "A LoRA for each toy, in one pass",
    "kept_edges": "Structure control",
    "moved_object": "Taken apart, one object moved, and painted whole again",
    "second_pass": "Painted again in a larger size",
    "bento_box": "A bento box",
    "bento_box_transformer": "The same, painted by the transformer",
    "toy_box_transformer": "The toy box, painted by the transformer",
    "iterative_edit_transformer": "One thing after the other, painted by the transformer",
}
ACROSS = {"iterative_edit": 3, "iterative_edit_transformer": 3}  # where one row would not do

Titled = tuple[str, Path]


def saved(folder: Path, name: str) -> list[Titled]:
    """Title and file of each picture that a run of this example left in `folder`."""
    prompt = json.loads((WORKFLOWS / "api" / f"{name}.json").read_text("utf-8"))
    nodes = [node for node in prompt.values() if node["class_type"] == "SaveImage"]
    found = []
    for node in nodes:
        prefix = node["inputs"]["filename_prefix"]
        files = sorted(folder.glob(f"{name}_{prefix}_*.png"))
        found += [(node["_meta"]["title"], file) for file in files[:1]]
    return found


def contact_sheet(folder: Path) -> Image.Image:
    """Each figure's heading above its pictures, and a title below each picture."""
    rows: list[list[Image.Image]] = []
    for name, heading in FIGURES.items():
        cells = [_titled(title, file) for title, file in saved(folder, name)]
        if cells:
            rows += [[_heading(heading)], *split(cells, ACROSS.get(name, len(cells)))]
    return ImageOps.expand(in_rows(rows, GAP), GAP, "white")


def _heading(text: str) -> Image.Image:
    font = ImageFont.load_default(18)
    strip = Image.new("RGB", (math.ceil(font.getlength(text)), 2 * LINE - GAP), "white")
    ImageDraw.Draw(strip).text((0, 0), text, "black", font)
    return strip


def _titled(title: str, file: Path) -> Image.Image:
    cell = Image.new("RGB", (SIDE, SIDE + LINE), "white")
    cell.paste(read(file).resize((SIDE, SIDE)))
    ImageDraw.Draw(cell).text((0, SIDE + 3), title, "black", ImageFont.load_default(12))
    return cell


def main() -> None:
    folder = Path(sys.argv[1])
    save(contact_sheet(folder / "figures"), folder / "figures.png")
    print(f"All figures: {folder / 'figures.png'}")


if __name__ == "__main__":
    main()
