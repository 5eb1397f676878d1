"""The places of one model call, by its conditionings: where each paints, and whose words it has.

Host symbols:
    comfy.samplers: "uuids", "cond_or_uncond"
    comfy.model_base.BaseModel: get_dtype_inference()
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ....collage_core.attention.lora_weights import LoraWeights
from ..attention.conditioning import (
    KEY,
    NODE,
    PAINTED,
    ChunkBias,
    ConditioningBias,
    Painted,
    check_picture,
)
from ..attention.run_tensors import RunTensors
from ..models.batch_rows import row_pictures
from ..models.families import skip_shapes
from ..models.transformers import Layout, check_call, is_transformer, layout_of, plain_network
from .places import Places, of_transformer, of_unet

Make = Callable[[ChunkBias, torch.Tensor], torch.Tensor]
Size = tuple[int, int]


def places_of(
    asked: ConditioningBias,
    weights: LoraWeights,
    call: tuple[Any, torch.Tensor, torch.Tensor | None, dict[str, Any]],
    options: dict[str, Any],
    run: RunTensors,
) -> Places:
    """The places of a call, the same object for all calls of a run that are alike.

    asked: whose words count as the layers'; call: the host's model, its latent [rows, C, ..., h,
    w], text features or None, and its other arguments.
    """
    model, x, context, extras = call
    network = plain_network(model)
    tokens = 0 if context is None else context.shape[1]
    chunks, layout = tuple(_chunks(asked, x, options)), None
    if is_transformer(network):
        check_call(network, x, extras, NODE)
        layout = layout_of(network, x, tokens, extras)
    like = x.new_empty(0, dtype=model.get_dtype_inference())
    rows = _Rows(weights, chunks, like)

    def make() -> Places:
        if layout is not None:
            return of_transformer(
                layout, rows.cells(layout.grid), rows.words(tokens, layout), rows.share()
            )
        sizes = {(h, w) for _, h, w in skip_shapes(network, x.shape[-2:])}
        cells = {size: rows.cells(size) for size in sorted({*sizes, size_of(x)})}
        return of_unet(cells, rows.words(tokens, None) if tokens else None, rows.share())

    alike = tuple(
        (c.length and c.asked.bias.regions, c.length, c.start, c.area, c.latent, c.pictures)
        for c in chunks
    )
    return run.get((weights, alike, layout, tokens, like.dtype, like.device), make)


def size_of(x: torch.Tensor) -> tuple[int, int]:
    """Height and width, its last two sizes."""
    height, width = x.shape[-2:]
    return height, width


def _chunks(asked: ConditioningBias, x: torch.Tensor, options: dict) -> list[ChunkBias]:
    """What each chunk of the batch paints; length 0 for one without the layers' words.

    Raises CollageError where the call shows something else.
    """
    painted = options.get(PAINTED) or Painted(size_of(x), {})
    known = options.get(KEY) or {}
    keys = [*zip(options.get("cond_or_uncond", [None]), options.get("uuids", [None]), strict=False)]
    count = len(x) // len(keys)
    pictures = row_pictures(len(asked.bias.masks), count, options, f"{NODE}, input collage")
    found = []
    for key in keys:
        chunk = known.get(key)
        if not _has_words(chunk, asked):
            area = painted.areas.get(key)
            chunk = ChunkBias(asked, 0, 0, area, painted.latent, pictures)
        found.append(chunk)
        check_picture(found[-1], x, len(keys))
    return found


def _has_words(chunk: ChunkBias | None, asked: ConditioningBias) -> bool:
    """Whether the words of a chunk are those of the same layers, wanted or not."""
    if chunk is None:
        return False
    return chunk.asked.bias is asked.bias or chunk.asked.collage is asked.collage is not None


@dataclass(frozen=True, eq=False)
class _Rows:
    """Weights of all rows of a batch; like: a tensor with the model's dtype and device."""

    weights: LoraWeights
    chunks: tuple[ChunkBias, ...]
    like: torch.Tensor

    def cells(self, size: Size) -> torch.Tensor:
        return self._all(lambda _, cells: self.weights.of_cells(cells, size))

    def share(self) -> torch.Tensor:
        return self._all(lambda _, cells: self.weights.share(cells))

    def words(self, tokens: int, layout: Layout | None) -> torch.Tensor:
        """Of `tokens` text tokens; layout: of a transformer, None for a UNet."""

        def make(chunk: ChunkBias, cells: torch.Tensor) -> torch.Tensor:
            if not chunk.length:
                return self.weights.share(cells)[:, None].expand(-1, tokens, -1)
            regions = chunk.asked.bias.regions
            if layout is not None:
                return self.weights.of_tokens(cells, regions, tokens, chunk.start)
            own = self.weights.of_tokens(cells, regions, chunk.length)
            return own.repeat(1, tokens // chunk.length, 1)  # as ComfyUI repeats the text

        return self._all(make)

    def _all(self, make: Make) -> torch.Tensor:
        parts = []
        for chunk in self.chunks:
            found = make(chunk, self.weights.cells(chunk.latent, chunk.area))
            parts.append(found[[n if len(found) > 1 else 0 for n in chunk.pictures]])
        return torch.cat(parts).to(self.like)
