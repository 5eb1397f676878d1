"""Pictures and composites of the editor in a real browser: the bytes that Python has, too."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from ..editor.exact_cases import write_cases
from .conftest import OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TURNED = 6  # EXIF orientation: a quarter turn
SHOWN = ("soft alpha", "blend soft light", "twenty layers", "a picture behind")


def _kinds() -> Iterator[tuple[str, Image.Image, dict[str, Any]]]:
    """File name, picture and how to save it."""
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 256, (37, 53, 4), np.uint8)
    rgba, exif = Image.fromarray(noise), Image.Exif()
    rgb, exif[0x0112] = rgba.convert("RGB"), TURNED
    smooth = rgb.resize((300, 200), Image.Resampling.BICUBIC)
    yield "rgba.png", rgba, {}
    yield "rgb.png", rgb, {}
    yield "grey.png", rgb.convert("L"), {}
    yield "grey_alpha.png", rgba.convert("LA"), {}
    yield "palette.png", rgb.quantize(40), {}
    yield "palette_clear.png", rgb.quantize(40), {"transparency": 3}
    yield "one_bit.png", rgb.convert("1"), {}
    yield "plain.jpg", smooth, {"quality": 90}
    yield "full_colour.jpg", smooth, {"quality": 95, "subsampling": 0}
    yield "progressive.jpg", smooth, {"progressive": True}
    yield "turned.jpg", smooth, {"exif": exif}
    yield "grey.jpg", smooth.convert("L"), {}
    yield "lossless.webp", rgba, {"lossless": True, "exact": True}
    yield "lossy.webp", smooth, {"quality": 80}
    wide = Image.fromarray(rng.integers(0, 256, (40, 9001, 4), np.uint8))
    yield "wider_than_a_texture.png", wide, {"compress_level": 1}
    yield "wider_and_turned.jpg", wide.convert("RGB"), {"exif": exif}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = write_cases(tmp_path)
    (tmp_path / "cases.json").write_text(json.dumps([name for name in names if name in SHOWN]))
    (tmp_path / "kinds").mkdir()
    for name, picture, options in _kinds():
        picture.save(tmp_path / "kinds" / name, **options)
    (tmp_path / "kinds" / "text.png").write_text("no picture")
    whole = (tmp_path / "kinds" / "rgba.png").read_bytes()
    (tmp_path / "kinds" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "collage" / f"{'a' * 64}.png").write_bytes(whole)  # not what its name says
    files = [*tmp_path.glob("kinds/*"), *tmp_path.glob("collage/*")]
    listed = [str(path.relative_to(tmp_path)) for path in files]
    (tmp_path / "files.json").write_text(json.dumps(sorted(listed)))
    return tmp_path


def test_the_page_has_the_pixels_of_python(on_page: OnPage, folder: Path) -> None:
    seen = on_page("editor_pictures.mjs", "unused.png", str(folder))
    assert seen["errors"] == []
    files = seen["seen"]
    assert files.pop("kinds/text.png") == {"state": "wrong", "reason": "kind"}
    assert files.pop("kinds/cut.png") == {"state": "wrong", "reason": "damaged"}
    assert files.pop(f"collage/{'a' * 64}.png") == {"state": "wrong", "reason": "hash"}
    assert [name for name, one in files.items() if _differs(folder / name, one)] == []
    for name in SHOWN:
        wanted = np.asarray(Image.open(folder / f"{name}.png")).astype(int)
        found = np.fromfile(folder / f"{name}.page", np.uint8).reshape(*wanted.shape[:2], 4)
        assert np.abs(found[..., :3] - wanted).max() <= 1, name


def _differs(path: Path, seen: dict[str, Any]) -> bool:
    """Whether the page has other bytes than Pillow, or has written other ones into a PNG."""
    with Image.open(path) as picture:
        pixels = np.asarray(ImageOps.exif_transpose(picture).convert("RGBA"))
    wanted = {"state": "ready", "exact": True, "width": pixels.shape[1], "height": pixels.shape[0]}
    wanted["hash"] = hashlib.sha256(pixels.tobytes()).hexdigest()
    written = seen.pop("png")
    if written is not None:
        again = np.asarray(Image.open(io.BytesIO(bytes(written))))
        if not np.array_equal(again, pixels):
            return True
    return {name: seen[name] for name in wanted} != wanted
