"""Collage: the frozen data that determine a picture, layers and prompt included."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

from ..errors import CollageError, quoted
from ..prompt.checks import check_prompt
from ..prompt.insertion import insert_embeddings
from ..prompt.negatives import negative_phrases
from ..prompt.phrases import Phrases, find_phrases
from .compositing import Composite, compose
from .layer import Layer
from .limits import CELL, MAX_LAYERS

BACKGROUND = 0  # its number in messages; layers count from 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Edit:
    """A finished picture to continue from, and the noise that the layers alone do not say.

    picture: [B, H, W, 3], shown by the composite in place of the layers' own pixels; layers that
    are stacked on top later are pasted over it. base_noise, feather: used in place of the sampler's
    inputs, so that a background that is to be kept stays as it is.
    minimum_noise: [B, 1, H, W], the least noise of a place, such as where a layer was removed;
    None is 0 everywhere.

    Example: the background is kept, and only layers with noise are redrawn.
        Edit(picture=painted, base_noise=0.0, feather=10.0)
    """

    picture: torch.Tensor = field(repr=False)
    base_noise: float
    feather: float
    minimum_noise: torch.Tensor | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Written:
    """The document that a collage was read from, and what it was then.

    Example: Written(text=text, prompt="sushi", layers=layers, background=grey).text
    """

    text: str
    prompt: str
    layers: tuple[Layer, ...]
    background: torch.Tensor
    edit: Edit | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Collage:
    """A whole picture before it is painted: canvas, background, prompt and layers.

    background: [B, height, width, 3]. `layers` holds every layer in stacking order, bottom
    first, hidden layers included; `shown` are the layers that take part. Messages number all
    layers from 1; tensors of layers hold the shown ones, indexed from 0. `notes` are lines for
    the report. `edit` is set after CollageEdit. `node` is the one that messages name. `written`
    is set where all of it was read from one document. `source`: [B, h, w, 3], the picture that the
    background was cut from, in its own size, for other sizes of the canvas, or None.
    Raises CollageError for a canvas that is not made of whole latent cells, too many layers,
    batches that do not agree and a prompt that cannot be read.

    Example: one layer on a grey canvas; its composite is what the sampler starts from.
        grey = torch.full((1, 512, 512, 3), 0.6)
        sushi = Layer(image=rgb, alpha=alpha, text="sushi")
        Collage(width=512, height=512, prompt="sushi", background=grey, layers=(sushi,)).composite
    """

    width: int
    height: int
    prompt: str
    background: torch.Tensor = field(repr=False)
    layers: tuple[Layer, ...] = ()
    notes: tuple[str, ...] = ()
    edit: Edit | None = None
    node: str = "CollageStack"
    written: Written | None = field(default=None, repr=False)
    source: torch.Tensor | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_canvas(self.width, self.height)
        if len(self.layers) > MAX_LAYERS:
            raise CollageError(
                f"{self.node}, input layers: {len(self.layers)} layers are more than the "
                f"{MAX_LAYERS} that a stack holds. Merge or remove some."
            )
        check_prompt(self.prompt, f"{self.node}, input prompt")
        self._check_batches()

    def _check_batches(self) -> None:
        batches = {f"layer {n} {quoted(layer.text)}": layer.batch for n, layer in self.numbered}
        batches["the background"] = len(self.background)
        if self.edit is not None:
            batches["the finished picture"] = len(self.edit.picture)
        if len(set(batches.values()) - {1}) > 1:
            listed = ", ".join(f"{name} has {batch}" for name, batch in batches.items())
            raise CollageError(
                f"{self.node}, input layers: the batches do not fit: {listed}. "
                "Give each layer 1 picture, or all the same number."
            )

    @property
    def document(self) -> str | None:
        """The text of the document it was read from; None if anything differs from that."""
        then = self.written
        same = (
            then is not None
            and (self.prompt, self.layers) == (then.prompt, then.layers)  # the same objects
            and self.background is then.background
            and self.edit is then.edit
        )
        return then.text if then and same else None

    @property
    def numbered(self) -> tuple[tuple[int, Layer], ...]:
        """The shown layers, each with the number that messages give it, from 1 on."""
        return tuple((n, layer) for n, layer in enumerate(self.layers, 1) if layer.visible)

    def index_of(self, number: int) -> int:
        """The index among the shown layers of the layer that messages give this number."""
        return [n for n, _ in self.numbered].index(number)

    @property
    def shown(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if layer.visible)

    @cached_property
    def composite(self) -> Composite:
        """The flattened picture and the visible alpha of each shown layer, computed once.

        After an edit the picture is the finished one; the alphas are still those of the layers.
        The tensors live as long as the collage, on the device of its layers.
        """
        made = compose(self.background, self.shown)
        return made if self.edit is None else dataclasses.replace(made, image=self.edit.picture)

    def visible_part(self, number: int) -> torch.Tensor:
        """The visible alpha of a shown layer, or of the BACKGROUND: [B, 1, H, W]."""
        visible = self.composite.visible_alpha
        if number == BACKGROUND:
            return (1 - visible.sum(1, keepdim=True)).clamp(0, 1)
        index = self.index_of(number)
        return visible[:, index : index + 1]

    @cached_property
    def phrases(self) -> Phrases:
        """Where the words of each shown layer stand in the prompt. Raises CollageError."""
        texts = [(n, layer.text) for n, layer in self.numbered]
        return find_phrases(self.prompt, texts, self.node)

    @cached_property
    def learned_phrases(self) -> Phrases:
        """The prompt with each embedding before the words of its layer, and where they stand."""
        names = [layer.embedding.name if layer.embedding else None for layer in self.shown]
        return insert_embeddings(self.phrases, names)

    def unwanted_phrases(self, everywhere: str) -> Phrases:
        """Words that the whole picture must not show, then those of each shown layer."""
        return negative_phrases(everywhere, [layer.negative for layer in self.shown])

    def with_layers(self, layers: tuple[Layer, ...]) -> Collage:
        return dataclasses.replace(self, layers=layers)

    def of_pictures(self, numbers: Sequence[int] | None) -> Collage:
        """The collage with only these of its pictures, numbered from 0; None keeps all.

        A layer or background with one picture, which serves all, keeps it.
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
        source = None if self.source is None else some(self.source)
        return dataclasses.replace(
            self,
            background=some(self.background),
            source=source,
            layers=tuple(layers),
            edit=edit,
        )

    def with_settings(self, layers: tuple[Layer, ...]) -> Collage:
        """The collage with layers that differ in their strengths alone.

        What was computed of pixels and words is kept: no cached property depends on strengths.
        """
        changed = self.with_layers(layers)
        vars(changed).update(vars(self) | vars(changed))
        return changed


def check_canvas(width: int, height: int) -> None:
    """Raise CollageError for a canvas that is not made of whole latent cells.

    A VAE would crop it silently, and the picture would no longer be as large as its masks.
    """
    for name, size in (("width", width), ("height", height)):
        if size < CELL or size % CELL:
            below = max(CELL, size // CELL * CELL)
            raise CollageError(
                f"CollageStack, input {name}: {size} is not a multiple of {CELL}. "
                f"Use {below} or {below + CELL}."
            )


def batch_pictures(
    pictures: int, count: int, batch_index: Sequence[int] | None = None
) -> tuple[int, ...] | None:
    """Which picture of a collage, from 0 on, each of `count` latents is; None if not known.

    A collage of one picture serves any batch. As many latents as pictures are the pictures in
    their order. Otherwise ComfyUI's `batch_index` says it, which nodes that take a part of a
    batch keep. An index that is the same for all latents (LatentBatchSeedBehavior) is about
    noise only; so may be one that repeats a number or exceeds the pictures (RepeatLatentBatch).
    """
    if pictures == 1:
        return (0,) * count
    whole = tuple(range(pictures)) if count == pictures else None
    index = tuple(batch_index or ())
    if len(index) != count or (count > 1 and len(set(index)) == 1):
        return whole
    known = len(set(index)) == count and all(0 <= i < pictures for i in index)
    return index if known else None
