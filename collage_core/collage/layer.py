"""Layer: one object of a collage, with its pixels, words, place and strengths."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, field

import torch

from ..errors import CollageError, quoted
from ..prompt.checks import check_prompt
from .limits import LAYER_OPTIONS, LAYER_RANGES, NORMAL, UNFLIPPED


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """A learned embedding: `name` as in `embedding:name`, `vectors` [N, width] per text encoder.

    Raises CollageError for a name that a prompt would not read back as one word.

    Example: Embedding(name="my_sushi", vectors={"clip_l": torch.zeros(2, 768)})
    """

    name: str
    vectors: dict[str, torch.Tensor] = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]{1,64}", self.name):
            raise CollageError(
                f"The embedding name {quoted(self.name)} cannot stand in a prompt. "
                "Use up to 64 letters, digits, dots, hyphens and underscores."
            )


@dataclass(frozen=True, kw_only=True)
class LayerLora:
    """A LoRA that acts in one layer: `name` of its file as ComfyUI lists it, and two strengths.

    Example: LayerLora(name="fox.safetensors", strength_model=0.8, strength_clip=1.0)
    """

    name: str
    strength_model: float
    strength_clip: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """One object of the collage.

    image: [B, H, W, 3] straight colour in [0, 1]; alpha: [B, H, W] in [0, 1], 1 = opaque.
    x, y: centre in fractions of the canvas. scale: canvas pixels per layer pixel; with `fit`
    "contain" or "cover" it multiplies the scale at which the rotated layer just fits on the
    canvas or, from its centre, covers the canvas. rotation: degrees counter-clockwise, after the
    flip. blend: how its colours mix with what lies below; its alpha counts as with "normal". The
    others are strengths. Ranges stand in LAYER_RANGES, options in LAYER_OPTIONS. negative: words
    that this layer must not show, "" for none. `notes` tell the report how the pixels were read.
    Raises CollageError for an empty text and for values out of range, all of them in one message.

    Example: an opaque sushi in the left half of the canvas, which may change a little.
        Layer(image=rgb, alpha=torch.ones(1, 64, 64), text="salmon sushi", x=0.25, noise=0.3)
    """

    image: torch.Tensor = field(repr=False)  # ComfyUI prints every input of a node that fails
    alpha: torch.Tensor = field(repr=False)
    text: str
    x: float = 0.5
    y: float = 0.5
    scale: float = 1.0
    rotation: float = 0.0
    opacity: float = 1.0
    noise: float = 0.6
    attract: float = 0.3
    repel: float = 0.5
    control: float = 1.0
    visible: bool = True
    fit: str = "pixels"
    flip: str = UNFLIPPED
    blend: str = NORMAL
    negative: str = ""
    embedding: Embedding | None = None
    loras: tuple[LayerLora, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_text(self.text)
        check_negative(self.negative)
        bad = [
            f"input {name}: {value:g} is outside {low:g} to {high:g}"
            for name, (low, high) in LAYER_RANGES.items()
            if not low <= (value := getattr(self, name)) <= high
        ]
        bad += [
            f"input {name}: {quoted(value)} is none of {', '.join(options)}"
            for name, options in LAYER_OPTIONS.items()
            if (value := getattr(self, name)) not in options
        ]
        if bad:
            raise CollageError(
                f"CollageLayer {quoted(self.text)}, {'; '.join(bad)}. "
                "Enter a value inside the range."
            )

    @property
    def batch(self) -> int:
        return len(self.alpha)

    @property
    def blends(self) -> bool:
        """Whether its colours depend on the picture below it."""
        return self.blend != NORMAL

    def has_pixels_of(self, other: Layer) -> bool:
        return all(
            a is b or (a.shape == b.shape and torch.equal(a, b.to(a.device)))
            for a, b in ((self.image, other.image), (self.alpha, other.alpha))
        )

    def to(self, device: torch.device) -> Layer:
        """The layer with its pixels on `device`; the same object if they are there already."""
        if self.image.device == self.alpha.device == device:
            return self
        image, alpha = self.image.to(device), self.alpha.to(device)
        return dataclasses.replace(self, image=image, alpha=alpha)

    def scale_on(self, height: int, width: int) -> float:
        """Canvas pixels per layer pixel on a canvas of this size."""
        own_height, own_width = self.alpha.shape[1:]
        tall, wide = turned_size(own_height, own_width, self.rotation)
        # The layer covers the canvas if the canvas, rotated the other way, fits into the layer.
        needed_tall, needed_wide = turned_size(height, width, self.rotation)
        one = {
            "pixels": 1.0,
            "contain": min(height / tall, width / wide),
            "cover": max(needed_tall / own_height, needed_wide / own_width),
        }
        return self.scale * one[self.fit]


def turned_size(height: float, width: float, degrees: float) -> tuple[float, float]:
    """Height and width of the upright box around a rotated rectangle; exact for quarter turns."""
    quarters, rest = divmod(degrees % 180, 90)
    if quarters:
        height, width = width, height
    cos, sin = math.cos(math.radians(rest)), math.sin(math.radians(rest))
    return sin * width + cos * height, cos * width + sin * height


def check_text(text: str) -> None:
    """Refuse a layer without words, and words that ComfyUI's prompt reader would choke on."""
    if not text.strip():
        raise CollageError(
            f"CollageLayer, input text: {quoted(text)} is empty. Write the words that "
            'name this object in the scene prompt, e.g. "salmon sushi".'
        )
    check_prompt(text, "CollageLayer, input text")


def check_negative(words: str) -> None:
    """Refuse words that a layer must not show and ComfyUI's prompt reader would choke on."""
    check_prompt(words, "CollageLayer, input negative")
