"""Whether another pack's attention takes the bias of these rows.

An attention that a pack puts in the place of the host's may know no masks: some refuse them, some
leave them out without a word. So it is tried on a few numbers before a run.

Host symbols:
    comfy.ldm.modules.attention.attention_pytorch(q, k, v, heads, *, mask)
    comfy.ldm.modules.attention.wrap_attn: "optimized_attention_override", "transformer_options"
    comfy.ldm.modules.attention.SpatialTransformer: transformer_blocks, "activations_shape"
    comfy.ldm.modules.attention.BasicTransformerBlock: "block", "block_index"
    comfy.ldm.modules.attention.BasicTransformerBlock: n_heads, d_head, attn_precision
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from comfy.ldm.modules import attention

from .run_tensors import name_of

OVERRIDE = "optimized_attention_override"
QUERIES, KEYS = (8, 8), 77

log = logging.getLogger(__name__)


def takes_mask(options: dict, unet: Any, like: torch.Tensor) -> bool:
    """Whether the options name an attention of another pack that obeys a mask.

    like: a tensor of the device and dtype that the model computes in.
    """
    if OVERRIDE not in options:
        return False
    try:
        masked, plain = (_tried(options, unet, like, mask) for mask in (True, False))
    except Exception as error:  # noqa: BLE001
        problem = f"{type(error).__name__}: {error}"
    else:
        if masked.isfinite().all() and not torch.allclose(masked, plain, atol=0.1):
            return True
        problem = "it leaves the mask out"
    log.warning(
        "MaskedCrossAttentionPatch: the attention of another pack, %s, takes no mask (%s). Rows "
        "with words in places go through PyTorch's attention instead, all others through it.",
        name_of(options[OVERRIDE]),
        problem.partition("\n")[0],
    )
    return False


def _tried(options: dict, unet: Any, like: torch.Tensor, mask: bool) -> torch.Tensor:
    """Attention that is the same for every key, or with a mask for the last key alone."""
    block = _middle_block(unet)
    q = like.new_zeros(1, QUERIES[0] * QUERIES[1], block.n_heads * block.d_head)
    k = like.new_zeros(1, KEYS, q.shape[-1])
    v = torch.linspace(0, 1, KEYS).to(like)[None, :, None].expand_as(k).contiguous()
    bias = like.new_full((1, 1, q.shape[1], KEYS), -1e4)
    bias[..., -1] = 0
    told = {
        **options, "n_heads": block.n_heads, "dim_head": block.d_head,
        "attn_precision": block.attn_precision, "block": ("middle", 0), "block_index": 0,
        "activations_shape": [1, q.shape[-1], *QUERIES],
    }  # fmt: skip
    return biased_attention(q, k, v, bias if mask else None, told, through=True).float()


def biased_attention(q, k, v, bias, options: dict, *, through: bool) -> torch.Tensor:
    """Attention with a bias [B, 1, N, K]; through: by way of the pack that the options name."""
    given: dict[str, Any] = {"mask": bias}
    if through:
        given |= {"attn_precision": options["attn_precision"], "transformer_options": options}
    # whatever backend the host was started with: not all of them take a mask
    return attention.attention_pytorch(q, k, v, options["n_heads"], **given)


def _middle_block(unet: Any) -> Any:
    for layer in unet.middle_block:
        if isinstance(layer, attention.SpatialTransformer):
            return layer.transformer_blocks[0]
    return next(m for m in unet.modules() if isinstance(m, attention.BasicTransformerBlock))
