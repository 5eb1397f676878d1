"""`python3 run.py figures` ends here: the pictures of all examples on one labelled sheet.

What is saved, in which order and under which title is read from the workflows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from collage_core.storage.atomic_write import writing

from .graph import WORKFLOWS

SIDE, GAP, LINE = 256, 12, 20  # pixels
FIGURES = {
    "bento_box_steps": "A bento box step by step, every layer at noise 0.5",
    "toy_box": "A toy box, every layer at noise 0.8",
    "cake_table": "A cake table",
    "trade_off": "Harmony against fidelity: the noise of one layer",
    "iterative_edit": "One thing after the other: what is edited, the rest stays to the byte",
    "learned_look": "A look learned from the layer",
    "kept_edges": "Structure control",
    "bento_box": "A bento box",
}
ACROSS = {"iterative_edit": 3}  # where one row would not do

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
    """One row after the other, with a heading for each figure and a title below each picture."""
    rows: list[tuple[str, list[Titled]]] = []
    for name, heading in FIGURES.items():
        pictures = saved(folder, name)
        across = ACROSS.get(name, max(len(pictures), 1))
        rows += [
            ("" if start else heading, pictures[start : start + across])
            for start in range(0, len(pictures), across)
        ]
    widest = max((len(pictures) for _, pictures in rows), default=1)
    height = sum(_height(heading) for heading, _ in rows)
    sheet = Image.new("RGB", (widest * (SIDE + GAP) + GAP, height + GAP), "white")
    top = GAP
    for heading, pictures in rows:
        _draw_row(sheet, top, heading, pictures)
        top += _height(heading)
    return sheet


def _height(heading: str) -> int:
    return SIDE + LINE + GAP + (2 * LINE if heading else 0)


def _draw_row(sheet: Image.Image, top: int, heading: str, pictures: list[Titled]) -> None:
    draw = ImageDraw.Draw(sheet)
    if heading:
        draw.text((GAP, top), heading, "black", ImageFont.load_default(18))
        top += 2 * LINE
    for number, (title, file) in enumerate(pictures):
        left = GAP + number * (SIDE + GAP)
        with Image.open(file) as picture:
            sheet.paste(picture.convert("RGB").resize((SIDE, SIDE)), (left, top))
        draw.text((left, top + SIDE + 3), title, "black", ImageFont.load_default(12))


def main() -> None:
    folder = Path(sys.argv[1])
    with writing(folder / "figures.png", replace=True) as file:
        contact_sheet(folder / "figures").save(file, "PNG")
    print(f"All figures: {folder / 'figures.png'}")


if __name__ == "__main__":
    main()
