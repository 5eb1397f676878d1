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
# no result without the checkpoint: these show the collage they start from
STARTS = {
    name: "collage_1_composite" if name == "iterative_edit" else "collage_composite"
    for name in ("bento_box_steps", "toy_box", "cake_table", "trade_off", "iterative_edit")
}


def take_pictures() -> None:
    """Takes what is there and leaves the rest as it is."""
    DOCS.mkdir(exist_ok=True)
    for name, prefix in THUMBNAILS.items():
        joined = OUTPUT / f"{name}_side_by_side.png"
        if joined.exists():
            shutil.copyfile(joined, DOCS / f"{name}.png")
        _thumbnail(f"{name}_{prefix}", name)
    for name, prefix in STARTS.items():
        _thumbnail(f"{name}_{prefix}", f"{name}_checkpoint")
    if (OUTPUT / "figures.png").exists():
        _as_jpeg(OUTPUT / "figures.png", "figures")
    for sheet in sorted((OUTPUT / "evaluate").glob("*.png")):
        _as_jpeg(sheet, sheet.stem)
    for sheet in sorted((OUTPUT / "bench" / "inversion").glob("*/sheet.png")):
        _as_jpeg(sheet, f"inversion_{sheet.parent.name}")


def _thumbnail(saved: str, name: str) -> None:
    """The page shows it beside the workflow of that name."""
    for file in sorted(OUTPUT.glob(f"{saved}_*.png"))[:1]:
        with Image.open(file) as picture:
            picture.convert("RGB").save(WORKFLOWS / f"{name}.jpg", quality=92)


def _as_jpeg(sheet: Path, name: str) -> None:
    with Image.open(sheet) as picture:
        picture.convert("RGB").save(DOCS / f"{name}.jpg", quality=88)
