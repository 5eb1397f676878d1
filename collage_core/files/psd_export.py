"""PSD files written: layers where they stand, for painting programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from .psd import PARTS
from .psd_limits import library
from .psd_names import BLENDS
from .psd_pixels import Plane, cropped

LONGEST_NAME = 255  # characters
MODES = {blend: mode for mode, blend in BLENDS.items() if mode != b"pass"}


@dataclass(frozen=True)
class Sheet:
    """One layer to write: pixels [h, w, 4] in bytes, straight alpha, with their place.

    opacity: in bytes, 255 is opaque. Example: Sheet("mug", pixels, left=-3, top=20)
    """

    name: str
    pixels: Plane = field(repr=False)
    left: int = 0
    top: int = 0
    opacity: int = 255
    visible: bool = True
    blend: str = "normal"


def write_psd(
    file: BinaryIO, merged: Plane, sheets: Iterable[Sheet], parts: Iterable[Sheet] = ()
) -> None:
    """Write layers bottom to top, and others on top of them in a hidden group.

    merged: [H, W, 3] in bytes, the picture for programs that read no layers. Names may be of any
    script; layers that show nothing are left out. Raises CollageError without psd-tools.
    """
    from PIL import Image

    psd_tools = library()
    psd = psd_tools.PSDImage.frompil(Image.fromarray(merged))
    _add(psd, sheets, psd_tools)
    if parts := list(parts):
        group = psd.create_group(name=PARTS, open_folder=False)
        group.visible = False
        _add(group, parts, psd_tools)
    record = getattr(psd, "_record", None)  # save() would compose the merged picture anew, slowly
    if record is None:
        psd.save(file)
    else:
        record.write(file)


def _add(group: Any, sheets: Iterable[Sheet], psd_tools: Any) -> None:
    for sheet in sheets:
        seen = cropped(sheet.pixels, sheet.left, sheet.top)
        if seen is None:
            continue
        pixels, left, top = seen
        layer = group.create_pixel_layer_from_array(pixels, name="layer", top=top, left=left)
        layer.name = sheet.name[:LONGEST_NAME]  # an old field of the format takes ASCII alone
        layer.opacity = sheet.opacity
        layer.visible = sheet.visible
        layer.blend_mode = psd_tools.constants.BlendMode(MODES[sheet.blend])
