"""How strongly each LoRA acts in every place of one model call.

A module is told by its name and by how many places its input has whether these are cells of the
picture, tokens of the text, or both in one sequence. Places that are neither, such as the time or
reference pictures, take the share of the picture in which the LoRA's layers are seen.

Host symbols:
    comfy.ldm.modules.attention.BasicTransformerBlock: attn2
    comfy.ldm.modules.attention.CrossAttention: to_k, to_v
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ....collage_core.errors import CollageError
from ..attention.conditioning import NODE
from ..models.transformers import Layout

# modules that read text, in the networks of LAYOUTS; needed where there are as many cells as words
TEXT = re.compile(
    r"(^|[._])(txt|text|context|caption|cap|cond_seq|add_[qkv]_proj|to_add_out|mlpC|llm_adapter)"
    r"|txt(fusion|mlp)|double_layers\.\d+\.attn\.w1"
    r"|(cross_attn|cross_attention|attn2)\.(k|v|k_proj|v_proj|to_k|to_v|to_key|to_value)$"
)
UNET_TEXT = re.compile(r"\.attn2\.to_[kv]$")


def reads_text(name: str, *, unet: bool) -> bool:
    """Whether the module of that name in the diffusion model has text for its input."""
    return bool((UNET_TEXT if unet else TEXT).search(name))


@dataclass(frozen=True, eq=False)
class Places:
    """The weights of one call for one order of columns, on its device.

    rows: of the batch; image, text: by length the weights [rows, length, columns] of modules that
    read cells or text; grids: by size those of convolutions, [rows, columns, h, w]; share: [rows,
    columns] of all other places; strict: whether a length that is not known is refused.
    """

    rows: int
    image: dict[int, torch.Tensor]
    text: dict[int, torch.Tensor]
    grids: dict[tuple[int, int], torch.Tensor]
    share: torch.Tensor
    strict: bool = False

    def columns(self, numbers: Sequence[int]) -> Places:
        """The same places with a column for each of these LoRAs."""
        index = torch.tensor(numbers, device=self.share.device)

        def pick(parts: dict, dim: int) -> dict:
            return {key: part.index_select(dim, index) for key, part in parts.items()}

        return Places(
            self.rows,
            pick(self.image, -1),
            pick(self.text, -1),
            pick(self.grids, 1),
            self.share.index_select(-1, index),
            self.strict,
        )

    def of_sequence(self, shape: torch.Size, *, text: bool) -> torch.Tensor:
        """The weights beside a linear layer's input of that shape, [rows, ..., columns] or 1s."""
        middle = shape[1:-1]
        count = middle.numel()
        first, second = (self.text, self.image) if text else (self.image, self.text)
        found = first.get(count, second.get(count))
        if len(shape) < 3 or shape[0] != self.rows or count == 1:
            found = None
        elif found is None and text and self.strict and count > max(self.text):
            found = self._appended(count)
        if found is not None:
            return found.view(self.rows, *middle, found.shape[-1])
        if self.strict and (count > 1 or shape[0] != self.rows):
            raise CollageError(
                f"{NODE}, output model: {count} places arrive at a module of a layer's LoRA where "
                "none of the picture's sizes has so many, so another patch of the model merges, "
                "cuts or moves them. Take it out."
            )
        return self._shared(shape[0]).view(-1, *[1] * (len(shape) - 2), self.share.shape[-1])

    def of_map(self, shape: torch.Size) -> torch.Tensor:
        """The weights beside a convolution's output of that shape, [rows, columns, ..., h, w]."""
        height, width = shape[-2:]
        found = self.grids.get((height, width)) if shape[0] == self.rows else None
        if found is not None:
            return found if len(shape) == 4 else found.unsqueeze(2)
        if self.strict:
            raise CollageError(
                f"{NODE}, output model: {shape[-1]} x {shape[-2]} cells arrive at a module of a "
                "layer's LoRA, which is none of the picture's sizes, so another patch of the model "
                "changes them. Take it out."
            )
        return self._shared(shape[0]).view(-1, self.share.shape[-1], *[1] * (len(shape) - 2))

    def _shared(self, rows: int) -> torch.Tensor:
        return self.share if rows == self.rows else self.share.mean(0, keepdim=True)

    def _appended(self, count: int) -> torch.Tensor:
        """A UNet's text with tokens behind it that another patch appends."""
        own = self.text[max(self.text)]
        more = self.share[:, None].expand(-1, count - own.shape[1], -1)
        return torch.cat([own, more], 1)


def of_unet(
    cells: dict[tuple[int, int], torch.Tensor], words: torch.Tensor | None, share: torch.Tensor
) -> Places:
    """Places of a UNet: cells by the size of a block [rows, h * w, G], words [rows, T, G]."""
    image = {height * width: own for (height, width), own in cells.items()}
    text = {} if words is None else {words.shape[1]: words}
    return Places(len(share), image, text, _grids(cells), share, strict=True)


def of_transformer(
    layout: Layout, cells: torch.Tensor, words: torch.Tensor, share: torch.Tensor
) -> Places:
    """Places of a transformer: its cells [rows, N, G] and words [rows, T, G] in its sequences."""
    image, text = {cells.shape[1]: cells}, {words.shape[1]: words}
    length, first_cell, first_token = layout.queries, layout.first_cell, layout.first_token
    sequence = share[:, None].repeat(1, length, 1)
    sequence[:, first_cell : first_cell + cells.shape[1]] = cells
    image.setdefault(length, sequence)
    if layout.joint and layout.keys == length:
        end = first_token + words.shape[1]
        sequence[:, first_token:end] = words
        behind = first_token > first_cell  # the text stands behind the picture
        for border in (first_token,) if behind else (first_cell, end):
            before, after = sequence[:, :border], sequence[:, border:]
            parts = (before, after) if behind else (after, before)
            for known, part in zip((image, text), parts, strict=True):
                known.setdefault(part.shape[1], part.contiguous())
        text.setdefault(length, sequence)
    return Places(len(share), image, text, _grids({layout.grid: cells}), share)


def _grids(cells: dict[tuple[int, int], torch.Tensor]) -> dict[tuple[int, int], torch.Tensor]:
    return {
        size: own.transpose(1, 2).unflatten(2, size).contiguous() for size, own in cells.items()
    }
