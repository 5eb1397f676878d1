"""The patch of the host's UNet models: blocks are taken over for the length of one model call.

When no row of the batch asks for a bias nothing is taken, and the call is the unpatched one, to
the bit.

Functions in patches_replace["attn2"] are keyed by (name, number, index) or (name, number).

Host symbols:
    comfy.patcher_extension.WrappersMP: OUTER_SAMPLE, CALC_COND_BATCH, APPLY_MODEL
    comfy.patcher_extension.WrapperExecutor: class_obj
    comfy.model_base.BaseModel: diffusion_model, model_sampling, get_dtype_inference()
    comfy.model_base.BaseModel: apply_model(x, t, c_concat, c_crossattn, control,
        transformer_options)
    comfy.model_sampling.ModelSamplingDiscrete: percent_to_sigma(percent)
    comfy.model_patcher.ModelPatcher: clone(), get_wrappers(wrapper_type, key)
    comfy.model_patcher.ModelPatcher: add_wrapper_with_key(wrapper_type, key, wrapper)
    comfy.model_patcher.ModelPatcher: set_attachments(key, attachment), get_attachment(key)
    comfy.samplers: "uuids", "cond_or_uncond"
    comfy.ldm.modules.attention.BasicTransformerBlock: "patches", "patches_replace", "attn2"
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from comfy.patcher_extension import WrappersMP

from ....collage_core.attention.bias import TokenColumns
from ....collage_core.errors import CollageError
from ..models.unet import block_sizes
from .before_sampling import look_over
from .block import BlockAttention, Due, RowBias, Size, watch_tokens
from .conditioning import KEY, NODE, Chunk, check_picture, hand_over
from .override import OVERRIDE, takes_mask
from .run_tensors import RUN, RunTensors, during_a_run


def patch_model(model):
    """A clone of the MODEL that obeys the `Words` of every conditioning it is sampled with."""
    patched = model.clone()
    wrappers = [
        (WrappersMP.OUTER_SAMPLE, RUN, during_a_run(KEY)),
        (WrappersMP.OUTER_SAMPLE, KEY, look_over),
        (WrappersMP.CALC_COND_BATCH, KEY, hand_over),
        (WrappersMP.APPLY_MODEL, KEY, _take_blocks),
    ]
    for kind, key, wrapper in wrappers:
        if not patched.get_wrappers(kind, key):
            patched.add_wrapper_with_key(kind, key, wrapper)
    return patched


def remember(patched, positive: list):
    """Let the clone keep the CONDITIONING it was patched for, for `CollageAttentionMap`."""
    patched.set_attachments(KEY, positive)
    return patched


def is_patched(model) -> bool:
    return bool(model.get_wrappers(WrappersMP.APPLY_MODEL, KEY))


def _take_blocks(
    executor,
    x,
    t,
    c_concat=None,
    c_crossattn=None,
    control=None,
    transformer_options=None,
    **kwargs,
):
    options = transformer_options or {}
    if c_crossattn is not None:
        options = _with_blocks(executor.class_obj, x, t, c_crossattn, options)
    return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)


def _with_blocks(model, x, t, context, options: dict) -> dict:
    """The options with every block taken over, or as they are when no row asks for a bias."""
    run = options.get(RUN) or RunTensors()
    recorder = next(reversed(options.get("patches", {}).get(KEY) or [None]))
    chunks = _chunks(options, run)
    sigma = float(t.max()) if any(chunks) else 0.0  # this waits for the device
    pairs = [(chunk, _factor(chunk, sigma, model)) for chunk in chunks]
    acting = [
        (chunk, factor) if chunk and (factor or recorder) else None for chunk, factor in pairs
    ]
    if not any(acting):
        return options
    biased = [pair and _bias_at(*pair, x, len(acting), context.shape[1], run) for pair in acting]
    unet, like = model.diffusion_model, x.new_empty(0, dtype=model.get_dtype_inference())
    override = options.get(OVERRIDE)
    through = run.get((OVERRIDE, override), lambda: takes_mask(options, unet, like))
    more = "attn2_patch" in options.get("patches", {})
    due = Due(len(x) // len(acting), context.shape[1], more)
    options = watch_tokens(options, context)
    replaced = options.get("patches_replace", {})
    blocks = dict(replaced.get("attn2", {}))
    for key, size in block_sizes(unet, x.shape[-2:]):
        biases = tuple(bias_at and bias_at(size) for bias_at in biased)
        previous = blocks.get(key, blocks.get(key[:2]))
        blocks[key] = BlockAttention(size, biases, previous, due, through, recorder)
    return {**options, "patches_replace": {**replaced, "attn2": blocks}}


def _chunks(options: dict, run: RunTensors) -> list[Chunk | None]:
    """What each chunk of the batch asks for. CollageError where nobody has told."""
    known = options.get(KEY)
    if known is not None:
        keys = zip(options["cond_or_uncond"], options["uuids"], strict=True)
        return [known.get(key) for key in keys]
    if not run.asks:
        return []
    past = f"{run.past} asks" if run.past else "another node asks"
    raise CollageError(
        f"{NODE}, output model: {past} it for predictions past ComfyUI's own calc_cond_batch, so "
        "nobody says which rows are of which words, and no layer would keep its place. Take that "
        "node out."
    )


def _bias_at(
    chunk: Chunk, factor: float, x: torch.Tensor, chunks: int, keys: int, run: RunTensors
) -> Callable[[Size], RowBias]:
    """A chunk's bias for any size of block: tensors on the device of x [rows, C, h, w]."""
    check_picture(chunk, x, chunks)
    bias, place, device = chunk.bias, (chunk.latent, chunk.area), x.device

    def tokens() -> TokenColumns:
        return bias.token_columns(chunk.length, keys, factor).to(device)

    def weights(size: Size) -> torch.Tensor:
        cells = run.get((bias, place), lambda: bias.cell_masks(*place))
        found = bias.weights_of(cells, size)
        if len(found) > 1:
            found = found[list(chunk.pictures)]
        return found.to(device)

    def weights_at(size: Size) -> torch.Tensor:
        return run.get((bias, place, size, chunk.pictures, device), lambda: weights(size))

    columns = run.get((bias, chunk.length, keys, device), tokens).at(factor)
    return lambda size: RowBias(weights_at(size), weights_at, columns)


def _factor(chunk: Chunk | None, sigma: float, model) -> float:
    """f(sigma) inside the chunk's part of the schedule, else 0."""
    if chunk is None:
        return 0.0
    to_sigma = model.model_sampling.percent_to_sigma
    inside = to_sigma(chunk.bias.end) <= sigma <= to_sigma(chunk.bias.start)
    return chunk.bias.factor(sigma) if inside else 0.0
