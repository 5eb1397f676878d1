"""The noise of a collage as a picture, with a legend of its layers; drawn with Pillow."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image, ImageDraw, ImageFont

from ..collage_core.collage.collage import Collage
from ..collage_core.imaging.colour import LUMA, heat_colours
from ..collage_core.imaging.lettering import shortened, write
from ..collage_core.interruption import interruptible
from ..collage_core.noise.noise_map import declared_noises

MIN_WIDTH = 512  # pixels of the picture: a smaller canvas is enlarged
PAPER, INK, PALE = (24, 24, 24), (240, 240, 240), (160, 160, 160)
COLOUR_SHARE = 0.7  # of the noise; the rest is the grey composite, which shows the place
STRIP_ROWS = 256
SEARCH_SIZE = 1024  # pixels a side on which the place of a number is searched
MIN_SHARE = 0.002  # of the canvas: a number would hide a smaller layer


@dataclass(frozen=True)
class LegendRow:
    """A row of the legend: the number and words of a layer or the background, and its noise.

    Example: LegendRow("2", "salmon sushi", 0.3)
    """

    number: str
    words: str
    noise: float


def noise_picture(collage: Collage, noise: torch.Tensor, base_noise: float) -> torch.Tensor:
    """Noise of every pixel [B, 1, H, W] -> IMAGE [B, H + legend, W, 3], larger for small canvases.

    0 is black and 1 pale yellow, over the composite in grey; each layer has its number on its
    visible part. `base_noise` is the sampler's input, see `declared_noises`.
    """
    scale = max(1, -(-MIN_WIDTH // collage.width))
    pixels = _over_grey(noise.squeeze(1), collage.composite.image)
    pixels = pixels.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    legend = _legend(legend_rows(collage, base_noise), pixels.shape[2])
    places = _places(collage, scale)
    sheets = []
    for one in pixels:
        numbered = Image.fromarray(one.numpy(force=True))
        _write_numbers(numbered, places)
        sheets.append(torch.cat([_tensor(numbered), _tensor(legend)]))
    return torch.stack(sheets)


def _over_grey(noise: torch.Tensor, composite: torch.Tensor) -> torch.Tensor:
    """Noise [B, H, W] and the composite [B, H, W, 3] -> bytes [B, H, W, 3]; 1 serves any B.

    It works in strips, because colours in float32 take many times the memory of bytes.
    """
    B, H, W = max(len(noise), len(composite)), *noise.shape[1:]
    pixels = torch.empty(B, H, W, 3, dtype=torch.uint8)
    luma = composite.new_tensor(LUMA)
    for top in interruptible(range(0, H, STRIP_ROWS)):
        rows = slice(top, top + STRIP_ROWS)
        grey = (composite[:, rows, :, :3] @ luma).unsqueeze(-1)
        picture = torch.lerp(grey, heat_colours(noise[:, rows].clamp(0, 1)), COLOUR_SHARE)
        pixels[:, rows] = (picture * 255).round().to(pixels)
    return pixels


def legend_rows(collage: Collage, base_noise: float) -> list[LegendRow]:
    """The legend from top to bottom: the topmost layer first, the background last."""
    *noises, background = declared_noises(collage, base_noise)
    shown = zip(collage.numbered, noises, strict=True)
    layers = [LegendRow(str(n), layer.text, noise) for (n, layer), noise in shown]
    return [*layers[::-1], LegendRow("", "background", background)]


def _places(collage: Collage, scale: int) -> dict[str, tuple[float, float]]:
    """Where the number of each layer stands: the visible place nearest to its middle."""
    places = {}
    step = max(1, max(collage.height, collage.width) // SEARCH_SIZE)
    visible = collage.composite.visible_alpha[0, :, ::step, ::step]
    for (number, _), alpha in interruptible(zip(collage.numbered, visible, strict=True)):
        if alpha.mean() < MIN_SHARE:
            continue
        shown = (alpha > alpha.max() / 2).nonzero().float()  # [N, 2], row and column
        middle = shown.median(0).values
        y, x = shown[(shown - middle).square().sum(1).argmin()].tolist()
        places[str(number)] = ((x + 0.5) * step * scale, (y + 0.5) * step * scale)
    return places


def _write_numbers(picture: Image.Image, places: dict[str, tuple[float, float]]) -> None:
    size = _font_size(picture.width)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for number, place in places.items():
        draw.text(
            place, number, INK, font, anchor="mm", stroke_width=max(2, size // 8), stroke_fill=PAPER
        )


def _legend(rows: list[LegendRow], width: int) -> Image.Image:
    """A bar of the colours with its scale, then the rows."""
    size = _font_size(width)
    step, edge = size * 3 // 2, size // 2
    legend = Image.new("RGB", (width, step * (len(rows) + 2) + 2 * edge), PAPER)
    draw = ImageDraw.Draw(legend)
    bar = heat_colours(torch.linspace(0, 1, width - 2 * edge)).expand(size, -1, -1)
    legend.paste(Image.fromarray((bar * 255).round().to(torch.uint8).numpy()), (edge, edge))
    for share, words, anchor in ((0, "0 kept", "la"), (0.5, "0.5", "ma"), (1, "1 anew", "ra")):
        place = (edge + share * (width - 2 * edge), edge + size * 1.2)
        draw.text(place, words, PALE, ImageFont.load_default(size), anchor=anchor)
    for line, row in enumerate(rows, 2):
        y = edge + line * step + step // 2
        _write_row(draw, row, (edge, y), width - edge)
    return legend


def _write_row(
    draw: ImageDraw.ImageDraw, row: LegendRow, place: tuple[int, int], right: int
) -> None:
    """A patch of its colour, its number, as many of its words as fit, and its noise."""
    left, y = place
    size = _font_size(right)
    red, green, blue = (heat_colours(torch.tensor(row.noise)) * 255).round().int().tolist()
    half, font = size // 2, ImageFont.load_default(size)
    draw.rectangle((left, y - half, left + size, y + half), (red, green, blue), PALE)
    draw.text((left + 2 * size, y), row.number, INK, font, anchor="lm")
    draw.text((right, y), f"{row.noise:.2f}", INK, font, anchor="rm")
    words = shortened(row.words, size, right - left - 7 * size)
    write(draw, (left + 4 * size, y + size * 0.36), words, size, INK)


def _font_size(width: int) -> int:
    return max(14, width // 36)


def _tensor(picture: Image.Image) -> torch.Tensor:
    """[H, W, 3] in [0, 1]"""
    size = (picture.height, picture.width, 3)
    return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(size) / 255
