"""The patch of the host's UNet models: blocks are taken over for the length of one model call.

When no row of the batch asks for a bias nothing is taken, and the call is the unpatched one, to
the bit.

Functions in patches_replace["attn2"] are keyed by (name, number, index) or (name, number).

Host symbols:
    comfy.patcher_extension.WrappersMP: OUTER_SAMPLE, CALC_COND_BATCH, APPLY_MODEL
    comfy.patcher_extension.WrapperExecutor: class_obj
    comfy.model_base.BaseModel: diffusion_model, model_sampling
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

from comfy.patcher_extension import WrappersMP

from .block_attention import BlockAttention, Call
from .carried_words import KEY, Chunk, check_picture, hand_over, look_over
from .unet import block_keys


def patch_model(model):
    """A clone of the MODEL that obeys the `Words` of every conditioning it is sampled with."""
    patched = model.clone()
    wrappers = {
        WrappersMP.OUTER_SAMPLE: look_over,
        WrappersMP.CALC_COND_BATCH: hand_over,
        WrappersMP.APPLY_MODEL: _take_blocks,
    }
    for kind, wrapper in wrappers.items():
        if not patched.get_wrappers(kind, KEY):
            patched.add_wrapper_with_key(kind, KEY, wrapper)
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
    call = _call(executor.class_obj, x, t, c_crossattn, options)
    if call is not None:
        replaced = options.get("patches_replace", {})
        blocks = dict(replaced.get("attn2", {}))
        for key in block_keys(executor.class_obj.diffusion_model):
            blocks[key] = BlockAttention(call, blocks.get(key, blocks.get(key[:2])))
        options = {**options, "patches_replace": {**replaced, "attn2": blocks}}
    return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)


def _call(model, x, t, context, options: dict) -> Call | None:
    """The call's biases, or None when it is the unpatched one."""
    known = options.get(KEY)
    recorders = options.get("patches", {}).get(KEY)
    if not known or context is None:
        return None
    sigma = float(t.max())
    keys = zip(options["cond_or_uncond"], options["uuids"], strict=True)
    chunks = [known.get(key) for key in keys]
    factors = [_factor(chunk, sigma, model) for chunk in chunks]
    if not any(factors) and not (recorders and any(chunks)):
        return None
    columns = []
    for number, (chunk, factor) in enumerate(zip(chunks, factors, strict=True)):
        if chunk is None or not (factor or recorders):
            chunks[number] = None
            columns.append(None)
            continue
        check_picture(chunk, x, len(chunks))
        found = chunk.bias.token_columns(chunk.length, context.shape[1], factor)
        columns.append(found.to(x.device))
    return Call(tuple(chunks), tuple(columns), recorders[-1] if recorders else None)


def _factor(chunk: Chunk | None, sigma: float, model) -> float:
    """f(sigma) inside the chunk's part of the schedule, else 0."""
    if chunk is None:
        return 0.0
    to_sigma = model.model_sampling.percent_to_sigma
    inside = to_sigma(chunk.bias.end) <= sigma <= to_sigma(chunk.bias.start)
    return chunk.bias.factor(sigma) if inside else 0.0
