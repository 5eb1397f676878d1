"""Thumbnails, the documents' pictures and the icon, from the files in output/ and workflows/."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from collage_core.storage.atomic_write import write_whole, writing

from ..pack import ROOT
from .graph import WORKFLOWS
from .variants import VARIANTS

OUTPUT, DOCS = ROOT / "output", ROOT / "docs"
FIGURES = OUTPUT / "figures"
THUMBNAILS = {
    "1_bento_box_editor": "collage_result",
    "2_toy_box_editor": "collage_result",
    "bento_box": "collage_result",
    "learned_look": "collage_result",
    "layer_loras": "collage_2_result",
    "kept_edges": "collage_result",
    "second_pass": "collage_2_result",
    "moved_object": "collage_3_result",
    "bento_box_steps": "collage_4_result",
    "toy_box": "collage_2_result",
    "cake_table": "collage_3_result",
    "trade_off": "collage_5_result",
    "iterative_edit": "collage_3_result",
    "bento_box_transformer": "collage_result",
    "toy_box_transformer": "collage_2_result",
    "iterative_edit_transformer": "collage_3_result",
}
# no result without the model: these variants show the collage they start from
STARTS = {f"{name}_{end}": name for end, (_, names) in VARIANTS.items() for name in names}
ICON = DOCS / "icon.png"
# layer of the bento box -> its side, and the height of its middle, in pixels of the icon
CARDS = {"cloth": (176, 190), "bento_box": (160, 130), "rice": (60, 60)}


def make_icon(side: int = 256) -> None:
    """The icon for ComfyUI's registry: layers of the bento box floating over one another."""
    icon = Image.new("RGBA", (side, side))
    for name, (size, middle) in CARDS.items():
        with Image.open(WORKFLOWS / "input" / f"collage_bento_{name}.png") as layer:
            card = layer.convert("RGBA").resize((size, size))
        card = card.rotate(45, Image.Resampling.BICUBIC, expand=True)
        card = card.resize((card.width, card.height // 2), Image.Resampling.LANCZOS)
        icon.alpha_composite(card, ((side - card.width) // 2, middle - card.height // 2))
    with writing(ICON, replace=True) as file:
        icon.save(file, "PNG", optimize=True)
    print(f"The icon: {ICON.relative_to(ROOT)}")


def take_pictures() -> None:
    """Convert the files that exist; pictures without a new file stay."""
    DOCS.mkdir(exist_ok=True)
    for name, prefix in THUMBNAILS.items():
        joined = FIGURES / f"{name}_side_by_side.png"
        if joined.exists():
            write_whole(DOCS / f"{name}.png", joined.read_bytes(), replace=True)
        _thumbnail(f"{name}_{prefix}", name)
    for variant, name in STARTS.items():
        number = "1_" if name == "iterative_edit" else ""
        _thumbnail(f"{name}_collage_{number}composite", variant)
    if (OUTPUT / "figures.png").exists():
        _as_jpeg(OUTPUT / "figures.png", "figures")
    for sheet in sorted((OUTPUT / "evaluate").glob("*.png")):
        _as_jpeg(sheet, sheet.stem)
    for sheet in sorted((OUTPUT / "bench" / "inversion").glob("*/sheet.png")):
        _as_jpeg(sheet, f"inversion_{sheet.parent.name}")


def _thumbnail(saved: str, name: str) -> None:
    """A thumbnail for the page, which shows it beside the workflow of the same name."""
    for file in sorted(FIGURES.glob(f"{saved}_*.png"))[:1]:
        _write_jpeg(file, WORKFLOWS / f"{name}.jpg", 92)


def _as_jpeg(sheet: Path, name: str) -> None:
    _write_jpeg(sheet, DOCS / f"{name}.jpg", 88)


def _write_jpeg(picture: Path, target: Path, quality: int) -> None:
    with Image.open(picture) as opened, writing(target, replace=True) as file:
        opened.convert("RGB").save(file, "JPEG", quality=quality)
