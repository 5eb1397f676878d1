"""Layer and Collage: the frozen data that determine a picture."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

from ..errors import CollageError, quoted
from ..prompt.checks import check_prompt
from ..prompt.insertion import insert_embeddings
from ..prompt.phrases import Phrases, find_phrases
from .compositing import Composite, compose
from .placement import turned_size

MAX_LAYERS = 64
CELL = 8  # canvas pixels per latent cell
FITS = ("pixels", "contain", "cover")

# input name -> (smallest, largest) value a layer accepts
LAYER_RANGES = {
    "x": (-4.0, 5.0),
    "y": (-4.0, 5.0),
    "scale": (0.001, 100.0),
    "rotation": (-360000.0, 360000.0),
    "opacity": (0.0, 1.0),
    "noise": (0.0, 1.0),
    "attract": (0.0, 10.0),
    "repel": (0.0, 10.0),
    "control": (0.0, 2.0),
}


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """A learned look: `name` as in `embedding:name`, `vectors` per text encoder, each [N, width].

    Raises CollageError for a name that a prompt would not read back as one word.
    """

    name: str
    vectors: dict[str, torch.Tensor] = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]{1,64}", self.name):
            raise CollageError(
                f"The embedding name {quoted(self.name)} cannot stand in a prompt. "
                "Use up to 64 letters, digits, dots, hyphens and underscores."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """One object of the collage.

    image: [B, H, W, 3] straight colour in [0, 1]; alpha: [B, H, W] in [0, 1], 1 = opaque.
    x, y: centre in fractions of the canvas; scale: layer pixels to canvas pixels or, as `fit`
    says, to the size at which the layer, turned by its rotation, fits on the canvas or covers it
    from the centre; rotation: degrees counter-clockwise; the rest are strengths, ranges in
    LAYER_RANGES. `notes` is what the report has to say about how the pixels were read. Raises
    CollageError for an empty text and for values out of range, all of them in one message.
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
    embedding: Embedding | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_text(self.text)
        bad = [
            f"input {name}: {value:g} is outside {low:g} to {high:g}"
            for name, (low, high) in LAYER_RANGES.items()
            if not low <= (value := getattr(self, name)) <= high
        ]
        if self.fit not in FITS:
            bad.append(f"input fit: {quoted(self.fit)} is none of {', '.join(FITS)}")
        if bad:
            raise CollageError(
                f"CollageLayer {quoted(self.text)}, {'; '.join(bad)}. "
                "Enter a value inside the range."
            )

    @property
    def batch(self) -> int:
        return len(self.alpha)

    def to(self, device: torch.device) -> Layer:
        """The layer with its pixels there; itself if they are."""
        if self.image.device == self.alpha.device == device:
            return self
        image, alpha = self.image.to(device), self.alpha.to(device)
        return dataclasses.replace(self, image=image, alpha=alpha)

    def scale_on(self, height: int, width: int) -> float:
        """Layer pixels to the pixels of a canvas of this size."""
        own_height, own_width = self.alpha.shape[1:]
        tall, wide = turned_size(own_height, own_width, self.rotation)
        # The layer covers the canvas where the canvas, turned the other way, fits into the layer.
        needed_tall, needed_wide = turned_size(height, width, self.rotation)
        one = {
            "pixels": 1.0,
            "contain": min(height / tall, width / wide),
            "cover": max(needed_tall / own_height, needed_wide / own_width),
        }
        return self.scale * one[self.fit]


@dataclass(frozen=True, kw_only=True, eq=False)
class Edit:
    """A finished picture to go on from.

    picture: [B, H, W, 3], what the composite shows in place of the layers' own pixels; layers
    stacked on top later are pasted over it. `base_noise` and `feather` are used in place of the
    sampler's inputs, so that the layers and the background that were to be kept are kept.
    minimum_noise: [B, 1, H, W], the least noise of a place, such as where a layer was removed;
    None is 0 everywhere.
    """

    picture: torch.Tensor = field(repr=False)
    base_noise: float
    feather: float
    minimum_noise: torch.Tensor | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Collage:
    """A whole picture before it is painted: canvas, background, prompt and layers.

    background: [B, height, width, 3]. `layers` holds every layer in stacking order, bottom
    first, hidden ones too; `shown` are those that take part. `notes` is what the report has to
    say about the stack as a whole. `edit` is there once the collage was painted and CollageEdit
    goes on from the result. Raises CollageError for a canvas that is no whole number of latent
    cells, too many layers, batches that do not agree and a prompt that cannot be read.
    """

    width: int
    height: int
    prompt: str
    background: torch.Tensor = field(repr=False)
    layers: tuple[Layer, ...] = ()
    notes: tuple[str, ...] = ()
    edit: Edit | None = None

    def __post_init__(self) -> None:
        check_canvas(self.width, self.height)
        if len(self.layers) > MAX_LAYERS:
            raise CollageError(
                f"CollageStack, input layers: {len(self.layers)} layers are more than the "
                f"{MAX_LAYERS} that a stack holds. Merge or remove some."
            )
        check_prompt(self.prompt)
        self._check_batches()

    def _check_batches(self) -> None:
        batches = {f"layer {n} {quoted(layer.text)}": layer.batch for n, layer in self.numbered}
        batches["the background"] = len(self.background)
        if self.edit is not None:
            batches["the finished picture"] = len(self.edit.picture)
        if len(set(batches.values()) - {1}) > 1:
            listed = ", ".join(f"{name} has {batch}" for name, batch in batches.items())
            raise CollageError(
                f"CollageStack, input layers: the batches do not fit: {listed}. "
                "Give each layer 1 picture, or all the same number."
            )

    @property
    def numbered(self) -> tuple[tuple[int, Layer], ...]:
        """The layers that take part with the numbers that messages give them, from 1 on."""
        return tuple((n, layer) for n, layer in enumerate(self.layers, 1) if layer.visible)

    @property
    def shown(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if layer.visible)

    @cached_property
    def composite(self) -> Composite:
        """The flattened picture and the visible alpha of each shown layer, made once.

        After an edit the picture is the finished one, the alphas are the layers' all the same.
        They are kept as long as the collage, as the IMAGE of a node is, on the layers' device.
        """
        made = compose(self.background, self.shown)
        return made if self.edit is None else dataclasses.replace(made, image=self.edit.picture)

    @cached_property
    def phrases(self) -> Phrases:
        """Where the words of each shown layer stand in the prompt. Raises CollageError."""
        return find_phrases(self.prompt, [(n, layer.text) for n, layer in self.numbered])

    @cached_property
    def learned_phrases(self) -> Phrases:
        """The prompt with learned tokens before the words of their layers, and its places."""
        names = [layer.embedding.name if layer.embedding else None for layer in self.shown]
        return insert_embeddings(self.phrases, names)

    def with_layers(self, layers: tuple[Layer, ...]) -> Collage:
        return dataclasses.replace(self, layers=layers)

    def of_pictures(self, numbers: Sequence[int] | None) -> Collage:
        """The collage of some of its pictures, numbers from 0 on, in that order; None is all.

        What has one picture for all of them keeps it.
        """
        if numbers is None:
            return self

        def some(batch: torch.Tensor) -> torch.Tensor:
            return batch if len(batch) == 1 else batch[list(numbers)]

        edit = self.edit
        if edit is not None:
            least = None if edit.minimum_noise is None else some(edit.minimum_noise)
            edit = dataclasses.replace(edit, picture=some(edit.picture), minimum_noise=least)
        layers = [
            dataclasses.replace(layer, image=some(layer.image), alpha=some(layer.alpha))
            for layer in self.layers
        ]
        background = some(self.background)
        return dataclasses.replace(self, background=background, layers=tuple(layers), edit=edit)

    def with_settings(self, layers: tuple[Layer, ...]) -> Collage:
        """The same pixels and words with other strengths: what was computed of them is kept."""
        changed = self.with_layers(layers)
        for name in ("composite", "phrases", "learned_phrases"):
            if name in self.__dict__:
                changed.__dict__[name] = self.__dict__[name]
        return changed


def check_text(text: str) -> None:
    """Refuse a layer without words, and words that ComfyUI's prompt reader would choke on."""
    if not text.strip():
        raise CollageError(
            f"CollageLayer, input text: {quoted(text)} is empty. Write the words that "
            'name this object in the scene prompt, e.g. "salmon sushi".'
        )
    check_prompt(text, "CollageLayer, input text")


def check_canvas(width: int, height: int) -> None:
    """Refuse a canvas that is not made of whole latent cells.

    A VAE would crop it without a word, and picture and masks would no longer be the same size.
    """
    for name, size in (("width", width), ("height", height)):
        if size < CELL or size % CELL:
            below = max(CELL, size // CELL * CELL)
            raise CollageError(
                f"CollageStack, input {name}: {size} is not a multiple of {CELL}. "
                f"Use {below} or {below + CELL}."
            )
