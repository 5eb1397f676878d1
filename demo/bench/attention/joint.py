"""Transformers: one attention of their shapes, and calls of a Flux of four blocks.

Rivals are an attention mask with one prompt per region, whose text grows with the regions, and
ComfyUI's ConditioningSetMask, which asks the model once for every region. The node's own rival is
the same bias without a mask (`WordsApart`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import comfy.model_management
import torch
from comfy.ldm.modules import attention

from ...pack import host_nodes, load_pack
from .blocks import timed
from .one_call import Row
from .rivals import WordsApart
from .scene import ATTRACT, CORE, NODE, REPEL, UNPATCHED, soft_masks

WORDS = 4  # of a phrase
REGIONAL, IN_PYTORCH = "attention mask, one prompt per region", ", attention_pytorch"
APART = "words apart, joined by log-sum-exp"
pack = load_pack()
core, host = pack.collage_core.attention.bias, pack.nodes.host


@dataclass(frozen=True)
class Shape:
    """An attention: heads of `width` numbers, a prompt of `text` tokens, and side x side cells.

    crossed: whether the cells ask the text alone, as in Wan; else one sequence holds both.
    """

    name: str
    heads: int
    width: int
    text: int
    side: int
    crossed: bool = False

    def __str__(self) -> str:
        form = f"{self.heads} x {self.width}, {self.text} tokens"
        return f"{self.name}, {self.side} x {self.side}, {form}"

    @property
    def cells(self) -> int:
        return self.side * self.side

    def tensors(self, text: int) -> list[torch.Tensor]:
        """q, k, v [1, H, N, D] with that many text tokens."""
        keys = text if self.crossed else text + self.cells
        lengths = (self.cells if self.crossed else keys, keys, keys)
        return [on_device(torch.randn(1, self.heads, length, self.width)) for length in lengths]


def on_device(x: torch.Tensor) -> torch.Tensor:
    """On ComfyUI's device, on a GPU in half precision."""
    device = comfy.model_management.get_torch_device()
    return x.to(device, torch.float32 if device.type == "cpu" else torch.bfloat16)


def shapes(side: int | None, *, tiny: bool) -> list[Shape]:
    """Those of Flux and of Wan 1.3B, at 512 and 1024 pixels or at `side` cells.

    On a CPU they have a quarter of their heads, each of which costs the same.
    """
    whole = (24, 12) if torch.cuda.is_available() else (6, 3)
    heads = (2, 2) if tiny else whole
    return [
        shape
        for own in ([side] if side else [32, 64])
        for shape in (
            Shape("Flux", heads[0], 128, 256, own),
            Shape("Wan", heads[1], 128, 512, own, crossed=True),
        )
    ]


def bias_of(layers: int, side: int, text: int):
    """An AttentionBias of that many phrases for a picture of side x side cells of 16 pixels."""
    words = [tuple(n % text for n in range(i * WORDS, (i + 1) * WORDS)) for i in range(layers)]
    regions = tuple(core.TokenRegion((i,), own) for i, own in enumerate(words))
    masks = soft_masks(layers, 2 * side)
    return core.AttentionBias(masks, regions, (ATTRACT,) * layers, (REPEL,) * layers)


def node_attention(shape: Shape, layers: int) -> Callable:
    layout, own = layout_and_bias(shape, layers)
    joint = host.attention.joint.JointAttention(layout, (own,), pictures=1)
    return partial(joint, attention.optimized_attention)


def attention_apart(shape: Shape, layers: int) -> Callable:
    apart = WordsApart(*layout_and_bias(shape, layers))
    return partial(apart, attention.optimized_attention)


def layout_and_bias(shape: Shape, layers: int) -> tuple[Any, Any]:
    """What one call of the model would give its attention: a Layout and a BlockBias."""
    bias, size = bias_of(layers, shape.side, shape.text), (shape.side,) * 2
    device = comfy.model_management.get_torch_device()
    weights = bias.region_weights(size, (2 * shape.side,) * 2).to(device)
    columns = bias.token_columns(shape.text, shape.text, bias.factor(3.0)).to(device)
    own = host.attention.block.BlockBias(weights, lambda _: weights, columns)
    keys = shape.text if shape.crossed else shape.text + shape.cells
    queries = shape.cells if shape.crossed else keys
    first = 0 if shape.crossed else shape.text
    return host.models.transformers.Layout(size, first, 0, queries, keys), own


def regional_mask(regions: int, text: int, side: int, *, crossed: bool) -> torch.Tensor:
    """[1, 1, queries, keys]: a cell sees its region's prompt and all cells, a prompt the same."""
    owner = soft_masks(regions, 2 * side)[0].argmax(0)[8::16, 8::16].flatten()
    prompts = torch.arange(regions).repeat_interleave(text)
    to_text = owner[:, None] == prompts
    if not crossed:
        between = torch.cat([prompts[:, None] == prompts, to_text.T], 1)
        to_text = torch.cat([between, to_text.new_ones(len(owner), between.shape[1])])
        to_text[len(prompts) :, : len(prompts)] = owner[:, None] == prompts
    return torch.zeros(to_text.shape).masked_fill(~to_text, float("-inf"))[None, None]


def ways(shape: Shape, layers: Sequence[int]) -> dict[str, Callable[[], torch.Tensor]]:
    """Name -> one attention of this shape; ComfyUI's own first."""
    heads, tensors = shape.heads, shape.tensors(shape.text)
    own, pytorch = attention.optimized_attention, attention.attention_pytorch

    def call(function, given=tensors, **more) -> Callable[[], torch.Tensor]:
        return lambda: function(*given, heads, skip_reshape=True, **more)

    found = {f"host's {own.__name__}": call(own)}
    if own is not pytorch:
        found["attention_pytorch"] = call(pytorch)
    found |= {f"{NODE}, {n}": call(node_attention(shape, n)) for n in layers}
    found |= {f"{APART}, {n}": call(attention_apart(shape, n)) for n in layers}
    for n in layers:
        mask = on_device(regional_mask(n, shape.text, shape.side, crossed=shape.crossed))
        found[f"{REGIONAL}, {n}"] = call(pytorch, shape.tensors(n * shape.text), mask=mask)
    return found


def measure(
    layers: Sequence[int], rounds: int, *, side: int | None, tiny: bool
) -> dict[str, dict[str, dict]]:
    """Shape -> way -> seconds of every round, and peak bytes."""
    return {str(one): timed(ways(one, layers), rounds) for one in shapes(side, tiny=tiny)}


def rows(model, side: int, layers: Sequence[int], regions: Sequence[int]) -> list[Row]:
    """Calls of a whole Flux at guidance 1, as it is used: the unpatched model first."""
    text, generator = 256, torch.Generator().manual_seed(0)
    width = model.model.diffusion_model.params.context_in_dim
    pooled = model.model.diffusion_model.params.vec_in_dim

    def prompt(tokens: int = text) -> list:
        features = torch.randn(1, tokens, width, generator=generator)
        return [[features, {"pooled_output": torch.randn(1, pooled, generator=generator)}]]

    positive, patch = prompt(), host.attention.patch.patch_model
    biased = {
        n: host.attention.conditioning.with_bias(positive, bias_of(n, side, text)) for n in layers
    }
    found = []
    for base, where in ((model, ""), (in_pytorch(model), IN_PYTORCH)):
        found.append(Row(UNPATCHED + where, 0, base, positive, positive, 1.0))
        for n, own in biased.items():
            found.append(Row(NODE + where, n, patch(base), own, positive, 1.0))
    found += [
        Row(APART, n, words_apart(model, n, side, text), positive, positive, 1.0) for n in layers
    ]
    for n in regions:
        mask = regional_mask(n, text, side, crossed=False)
        regional = in_pytorch(model, on_device(mask))
        found.append(Row(REGIONAL, n, regional, prompt(n * text), positive, 1.0))
        several, set_mask = list(positive), host_nodes().ConditioningSetMask().append
        for own in soft_masks(n, 2 * side)[0]:
            several += set_mask(prompt(), own[None], "default", 1.0)[0]
        found.append(Row(CORE, n, model, several, positive, 1.0))
    return found


def words_apart(model, layers: int, side: int, text: int):
    """A clone with the same bias, made before the run, and no mask."""
    clone, shape = model.clone(), Shape("Flux", 0, 0, text, side)
    apart = WordsApart(*layout_and_bias(shape, layers))
    clone.model_options["transformer_options"]["optimized_attention_override"] = apart
    return clone


def in_pytorch(model, mask: torch.Tensor | None = None):
    """A clone that runs all its attention in PyTorch, with that mask in every call."""
    clone = model.clone()

    def attend(_func, *args, **kwargs):
        given = kwargs if mask is None else {**kwargs, "mask": mask.to(args[0])}
        return attention.attention_pytorch(*args, **given)

    clone.model_options["transformer_options"]["optimized_attention_override"] = attend
    return clone
