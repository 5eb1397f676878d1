"""Cross-attention of one UNet block with the bias, chained with the block's previous hook.

An attn2_replace function is called as (q, k, v, extra_options). torch.compile may have compiled the
model around it, so what changes from step to step is a tensor that was made before the call.

The attention of another pack may not support masks: some refuse them, some ignore them silently.
So it is tried on a few numbers before a run.

Host symbols:
    comfy.ldm.modules.attention.optimized_attention: __call__
    comfy.ldm.modules.attention.attention_pytorch(q, k, v, heads, *, mask)
    comfy.ldm.modules.attention.wrap_attn: "optimized_attention_override", "transformer_options"
    comfy.ldm.modules.attention.BasicTransformerBlock: "attn2", "patches", "attn2_patch"
    comfy.ldm.modules.attention.BasicTransformerBlock: "block", "block_index"
    comfy.ldm.modules.attention.BasicTransformerBlock: n_heads, d_head, attn_precision
    comfy.ldm.modules.attention.SpatialTransformer: transformer_blocks, "activations_shape"
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from comfy.ldm.modules import attention

from ....collage_core.attention.bias import TokenColumns, attention_bias
from ....collage_core.errors import CollageError
from .conditioning import NODE

Size = tuple[int, int]  # rows and columns of a block's cells
OVERRIDE = "optimized_attention_override"
TRIED_QUERIES, TRIED_KEYS = (8, 8), 77
TRANSFORMER_HEADS = (2, 128, None)  # as most of them have it, but for the number

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class BlockBias:
    """A ChunkBias as tensors of one block.

    weights: region weights [1 or rows, N, R] at the block's size; weights_at: the same at the size
    of a block that another patch has shrunk; columns: the tokens of the regions.
    """

    weights: torch.Tensor
    weights_at: Callable[[Size], torch.Tensor]
    columns: TokenColumns


@dataclass(frozen=True)
class Expected:
    """What arrives at every block: rows of each chunk, and keys of each row.

    more: whether other patches may append keys; `watch_tokens` then checks these.
    """

    rows: int
    keys: int
    more: bool


@dataclass(frozen=True, eq=False)
class BlockAttention:
    """Replaces one block's cross-attention during one model call.

    size: the block's rows and columns in the unpatched model; biases: one for each chunk of the
    batch, None for a chunk without; previous: the hook of another pack on this block; use_override:
    whether biased rows run in the attention of another pack; recorder: an AttentionSum or None.

        hook = BlockAttention((8, 8), (None, positive_bias), None, Expected(1, 77, more=False))
        options["patches_replace"]["attn2"]["middle", 0, 0] = hook
    """

    size: Size
    biases: tuple[BlockBias | None, ...]
    previous: Callable[..., torch.Tensor] | None
    expected: Expected
    use_override: bool = False
    recorder: Any = None

    def __call__(self, q, k, v, extra_options):
        """q [rows, N, H * D], k and v [rows, K, H * D] -> [rows, N, H * D].

        Rows without a bias take the usual path. A previous hook gets the whole batch; biased rows
        are what it returns plus the difference that the bias makes.
        """
        self._check_arrived(q, k)
        earlier = self.previous(q, k, v, extra_options) if self.previous is not None else None
        parts, rows = [], self.expected.rows
        for number, bias in enumerate(self.biases):
            own = slice(number * rows, (number + 1) * rows)
            row = (q[own], k[own], v[own])
            out = earlier[own] if earlier is not None else None
            if bias is None:
                parts.append(_plain(*row, extra_options) if out is None else out)
                continue
            biased = self._biased(*row, bias, extra_options)
            parts.append(biased if out is None else out + (biased - _plain(*row, extra_options)))
        return joined(parts)

    def _check_arrived(self, q, k) -> None:
        """Refuse missing or added rows and keys: the bias counts both from the first."""
        expected, keys = self.expected, k.shape[1]
        rows = len(self.biases) * expected.rows
        if len(q) != rows or len(k) != rows:
            raise CollageError(
                f"{NODE}, output model: {len(q)} rows arrive at a block instead of {rows}, so "
                "another patch of the model drops, adds or splits rows. Take it out."
            )
        if keys < expected.keys or (keys > expected.keys and not expected.more):
            raise CollageError(
                f"{NODE}, output model: {keys} tokens arrive at a block instead of "
                f"{expected.keys}, so another patch of the model cuts or adds tokens of the "
                "prompt. Take it out."
            )

    def _biased(self, q, k, v, own: BlockBias, extra_options):
        heads = extra_options["n_heads"]
        height, width = extra_options["activations_shape"][-2:]
        size = (height, width)
        if size[0] * size[1] != q.shape[1]:
            raise CollageError(
                f"{NODE}, output model: a block of {size[1]} x {size[0]} cells has "
                f"{q.shape[1]} queries, so another patch of the model moved them. Take out "
                "patches that merge or cut tokens of cross-attention."
            )
        weights = own.weights if size == self.size else own.weights_at(size)
        bias = attention_bias(q, k, heads, weights, own.columns)
        if self.recorder is not None:
            self.recorder.record(q, k, heads, bias, own.columns, size)
        return _biased_attention(q, k, v, bias, extra_options, use_override=self.use_override)


def joined(parts: list[torch.Tensor], dim: int = 0) -> torch.Tensor:
    """Their concatenation; a single one is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim)


def watch_tokens(options: dict, context: torch.Tensor) -> dict:
    """The options with a check after the patches that may change the tokens of a block.

    context: text features [rows, K, D] of the model call. The check accepts appended tokens and
    refuses tokens in front of or between the original ones. It changes nothing.
    """
    patches = options.get("patches", {})

    def watch(n, tokens, value, _):
        length = context.shape[1]
        if tokens.shape[1] > length and not torch.equal(tokens[:, :length], context.to(tokens)):
            raise CollageError(
                f"{NODE}, output model: {tokens.shape[1]} tokens arrive at a block instead of "
                f"{length}, and do not begin with these, so another patch of the model puts some "
                "before or between them. Take it out."
            )
        return n, tokens, value

    if "attn2_patch" not in patches:
        return options
    return {**options, "patches": {**patches, "attn2_patch": [*patches["attn2_patch"], watch]}}


def _plain(q, k, v, extra_options):
    """Cross-attention as ComfyUI's CrossAttention computes it."""
    return attention.optimized_attention(
        q,
        k,
        v,
        extra_options["n_heads"],
        attn_precision=extra_options["attn_precision"],
        transformer_options=extra_options,
    )


def obeys_mask(options: dict, network: Any, like: torch.Tensor) -> bool:
    """Whether the options name an attention of another pack that obeys a mask.

    like: a tensor with the device and dtype of the model's computation.
    """
    if OVERRIDE not in options:
        return False
    try:
        masked, plain = (_tried(options, network, like, mask) for mask in (True, False))
    except Exception as error:  # noqa: BLE001
        problem = f"{type(error).__name__}: {error}"
    else:
        if masked.isfinite().all() and not torch.allclose(masked, plain, atol=0.1):
            return True
        problem = "it ignores the mask"
    log.warning(
        "%s: the attention of another pack, %s, takes no mask (%s). The positive prompt runs in "
        "PyTorch's attention instead, everything else in that of the pack.",
        NODE,
        name_of(options[OVERRIDE]),
        problem.partition("\n")[0],
    )
    return False


def _tried(options: dict, network: Any, like: torch.Tensor, mask: bool) -> torch.Tensor:
    """Attention to equal keys: a mean of all values, or with a mask the last value alone."""
    heads, width, precision = _heads(network)
    q = like.new_zeros(1, TRIED_QUERIES[0] * TRIED_QUERIES[1], heads * width)
    k = like.new_zeros(1, TRIED_KEYS, q.shape[-1])
    v = torch.linspace(0, 1, TRIED_KEYS).to(like)[None, :, None].expand_as(k).contiguous()
    bias = like.new_full((1, 1, q.shape[1], TRIED_KEYS), -1e4)
    bias[..., -1] = 0
    told = {
        **options, "n_heads": heads, "dim_head": width,
        "attn_precision": precision, "block": ("middle", 0), "block_index": 0,
        "activations_shape": [1, q.shape[-1], *TRIED_QUERIES],
    }  # fmt: skip
    return _biased_attention(q, k, v, bias if mask else None, told, use_override=True).float()


def _biased_attention(q, k, v, bias, options: dict, *, use_override: bool) -> torch.Tensor:
    """Attention with a bias [B, 1, N, K], PyTorch's or the override that the options name."""
    given: dict[str, Any] = {"mask": bias}
    if use_override:
        given |= {"attn_precision": options["attn_precision"], "transformer_options": options}
    # not the backend that ComfyUI was started with: some support no mask
    return attention.attention_pytorch(q, k, v, options["n_heads"], **given)


def _heads(network: Any) -> tuple[int, int, Any]:
    """Heads, numbers of a head and precision of a block of cross-attention."""
    for module in network.modules():
        if isinstance(module, attention.BasicTransformerBlock):
            return module.n_heads, module.d_head, module.attn_precision
    return TRANSFORMER_HEADS


def name_of(function: Any) -> str:
    """The module and name of another pack's function, for messages."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', '')}.{name}".lstrip(".")
