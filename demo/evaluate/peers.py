"""Other methods of words in places, from their papers, small and for measuring alone.

DenseDiffusion (Kim, Lee, Kim, Ha, Zhu: Dense Text-to-Image Generation with Attention Modulation,
ICCV 2023), section 3: its modulation of cross-attention, without that of self-attention. Attention
couple (the regional prompting of several ComfyUI nodes): one prompt a region, whose outputs of
cross-attention are mixed by the masks. Both get the pack's own masks and tokens.
"""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange

from ..pack import load_pack
from .collages import Case, with_strengths
from .painter import Painter

LATENT = (32, 32)
DENSE_POWER = 5  # of t / 1000, as published; its weight of cross-attention is 1
WHOLE_PROMPT = 0.2  # share of the whole prompt in every place


def masks_of(painter: Painter, case: Case) -> tuple[Any, list]:
    """The pack's bias with weights that are the regions' masks, and the prompt without it."""
    key = load_pack().nodes.host.attention.conditioning.KEY
    _, positive = painter.patched(with_strengths(case, 1.0, 0.0))
    plain = [[x, {k: v for k, v in more.items() if k != key}] for x, more in positive]
    return positive[0][1][key].bias, plain


def positive_rows(x: torch.Tensor, options: dict) -> torch.Tensor:
    """Which rows of a block's batch belong to the positive prompt: [rows] of bool."""
    chunks = torch.tensor(options["cond_or_uncond"]) == 0
    return chunks.repeat_interleave(len(x) // len(chunks))


def dense_diffusion(painter: Painter, case: Case) -> tuple[object, list]:
    """Scores rise to the row's largest in a word's place and fall to its smallest elsewhere."""
    bias, positive = masks_of(painter, case)
    model = painter.model.clone()
    level = model.get_model_object("model_sampling").timestep

    def attend(q, k, v, options):
        heads, rows = options["n_heads"], positive_rows(q, options)
        dtype = q.dtype
        q, k, v = (rearrange(x.float(), "b n (h d) -> b h n d", h=heads) for x in (q, k, v))
        scores = q @ k.mT * q.shape[-1] ** -0.5
        place = word_places(bias, options["activations_shape"][-2:], k.shape[2])
        fade = (level(options["sigmas"][0]) / 1000) ** DENSE_POWER
        scores[rows] += fade * modulation(scores[rows], place)
        return rearrange(scores.softmax(-1) @ v, "b h n d -> b n (h d)").to(dtype)

    for block in load_pack().nodes.host.models.families.block_keys(model.model.diffusion_model):
        model.set_model_attn2_replace(attend, *block)
    return model, positive


def word_places(bias: Any, size: tuple[int, int], keys: int) -> torch.Tensor:
    """1 where a token's region is, 0 elsewhere and for tokens of no region: [1, N, keys]."""
    columns = bias.token_columns(keys, keys, 1.0)
    masks = (bias.region_weights(size, LATENT) > 0.5).float()
    places = masks.new_zeros(*masks.shape[:2], keys)
    places[..., columns.tokens] = masks @ columns.membership
    return places


def modulation(scores: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """(1 - area) (R (max - S) - (1 - R) (S - min)): scores [B, H, N, K], place R [1, N, K]."""
    small = 1 - place.mean(1, keepdim=True)
    low, high = scores.amin(-1, keepdim=True), scores.amax(-1, keepdim=True)
    return small * (place * (high - scores) - (1 - place) * (scores - low))


def attention_couple(painter: Painter, case: Case) -> tuple[object, list]:
    """Each region's own prompt in its place, and the whole prompt for a share of every place."""
    _, positive = painter.plain(case)
    collage, model = case.collage, painter.model.clone()
    texts = [painter.encode(layer.text)[0][0] for layer in collage.shown]
    masks = load_pack().collage_core.attention.bias.block_masks
    cells = torch.nn.functional.adaptive_avg_pool2d(collage.composite.visible_alpha, LATENT)

    def ask(n, context, _, options):
        """Every positive row once for each text, behind all rows of the batch."""
        own = positive_rows(n, options)
        more = torch.cat([context, *(text.to(context).expand(own.sum(), -1, -1) for text in texts)])
        return torch.cat([n, *[n[own]] * len(texts)]), more, more

    def mix(n, options):
        chunks = torch.tensor(options["cond_or_uncond"]) == 0
        pictures = len(n) // (len(chunks) + len(texts) * int(chunks.sum()))
        own = chunks.repeat_interleave(pictures)
        parts = n[len(own) :].unflatten(0, (len(texts), -1))
        share = masks(cells, options["activations_shape"][-2:])[0].flatten(1)[:, None, :, None]
        share = share / share.sum(0).clamp(min=1)
        whole = n[: len(own)].float().clone()
        left = 1 - (1 - WHOLE_PROMPT) * share.sum(0)
        whole[own] = left * whole[own] + (1 - WHOLE_PROMPT) * (share * parts).sum(0)
        return whole.to(n.dtype)

    model.set_model_attn2_patch(ask)
    model.set_model_attn2_output_patch(mix)
    return model, positive
