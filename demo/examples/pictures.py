"""What the commands left in output/ becomes thumbnails and the documents' pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import Image

from ..pack import ROOT
from .graph import WORKFLOWS

OUTPUT, DOCS = ROOT / "output", ROOT / "docs"
THUMBNAILS = {
    "bento_box": "collage_result",
    "learned_look": "collage_result",
    "kept_edges": "collage_result",
    "bento_box_steps": "collage_4_result",
    "toy_box": "collage_2_result",
    "cake_table": "collage_3_result",
    "trade_off": "collage_5_result",
    "iterative_edit": "collage_3_result",
}


def take_pictures() -> None:
    """Takes what is there and leaves the rest as it is."""
    DOCS.mkdir(exist_ok=True)
    for name, prefix in THUMBNAILS.items():
        joined = OUTPUT / f"{name}_side_by_side.png"
        if joined.exists():
            shutil.copyfile(joined, DOCS / f"{name}.png")
        for result in sorted(OUTPUT.glob(f"{name}_{prefix}_*.png"))[:1]:
            with Image.open(result) as picture:
                picture.convert("RGB").save(WORKFLOWS / f"{name}.jpg", quality=92)
    for sheet in sorted((OUTPUT / "evaluate").glob("*.png")):
        _as_jpeg(sheet, sheet.stem)
        if sheet.stem == "placement_0.8":  # collage, plain and node of the eighth collage
            with Image.open(sheet) as picture:
                picture.crop((1024, 768, 1792, 1024)).save(DOCS / "words_in_place.png")
    for sheet in sorted((OUTPUT / "bench" / "inversion").glob("*/sheet.png")):
        _as_jpeg(sheet, f"inversion_{sheet.parent.name}")


def _as_jpeg(sheet: Path, name: str) -> None:
    with Image.open(sheet) as picture:
        picture.convert("RGB").save(DOCS / f"{name}.jpg", quality=88)
