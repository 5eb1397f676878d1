"""The patch of a model: its attention gets the bias for the length of one model call.

A UNet gets it block by block, a transformer through an override of all its attention.

A call without a biased row installs nothing and gives what the unpatched model gives, to the bit.

Functions in patches_replace["attn2"] are keyed by (name, number, index) or (name, number). The
wrapper OUTER_SAMPLE is called with the guider as class_obj.

Host symbols:
    comfy.patcher_extension.WrappersMP: OUTER_SAMPLE, CALC_COND_BATCH, APPLY_MODEL
    comfy.patcher_extension.WrapperExecutor: class_obj
    comfy.model_base.BaseModel: model_sampling, get_dtype_inference()
    comfy.model_base.BaseModel: apply_model(x, t, c_concat, c_crossattn, control,
        transformer_options)
    comfy.model_sampling.ModelSamplingDiscrete: percent_to_sigma(percent)
    comfy.model_sampling.CONST: __class__
    comfy.model_patcher.ModelPatcher: clone(), get_wrappers(wrapper_type, key)
    comfy.model_patcher.ModelPatcher: add_wrapper_with_key(wrapper_type, key, wrapper)
    comfy.model_patcher.ModelPatcher: set_attachments(key, attachment), get_attachment(key)
    comfy.samplers: "uuids", "cond_or_uncond"
    comfy.samplers.CFGGuider: model_options, model_patcher, conds
    comfy.samplers.CFGGuider: outer_sample(noise, latent_image, sampler, sigmas)
    comfy.samplers: "OUTER_SAMPLE", "transformer_options", "sampler_calc_cond_batch_function"
    comfy.ldm.modules.attention.BasicTransformerBlock: "patches", "patches_replace", "attn2"
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from comfy.model_sampling import CONST
from comfy.patcher_extension import WrappersMP

from ....collage_core.attention.bias import (
    AttentionBias,
    TokenColumns,
    last_fraction,
    noise_to_signal,
)
from ....collage_core.errors import CollageError
from ....collage_core.noise.release import schedule_fraction
from ..models.families import block_sizes
from ..models.transformers import Layout, check_call, is_transformer, layout_of, plain_network
from .before_sampling import check_before_sampling
from .block import (
    OVERRIDE,
    BlockAttention,
    BlockBias,
    Expected,
    Size,
    name_of,
    obeys_mask,
    watch_tokens,
)
from .conditioning import KEY, NODE, ChunkBias, check_picture, route_biases
from .joint import JointAttention
from .run_tensors import RUN, RunTensors

BEGINS = "collage_begins"


def patch_model(model):
    """A clone of the MODEL that obeys the ConditioningBias of all that it is sampled with."""
    patched = model.clone()
    wrappers = [
        (WrappersMP.OUTER_SAMPLE, RUN, _keep_run_tensors),
        (WrappersMP.OUTER_SAMPLE, KEY, check_before_sampling),
        (WrappersMP.CALC_COND_BATCH, KEY, route_biases),
        (WrappersMP.APPLY_MODEL, KEY, _install_bias),
    ]
    for kind, key, wrapper in wrappers:
        if not patched.get_wrappers(kind, key):
            patched.add_wrapper_with_key(kind, key, wrapper)
    return patched


def attach_conditioning(patched, positive: list):
    """Let the clone keep the CONDITIONING it was patched for, for `CollageAttentionMap`."""
    patched.set_attachments(KEY, positive)
    return patched


def is_patched(model) -> bool:
    return bool(model.get_wrappers(WrappersMP.APPLY_MODEL, KEY))


def begins_at(model, sigma: float):
    """A clone whose runs are parts of a schedule that begins at `sigma`."""
    clone = model.clone()
    clone.set_attachments(BEGINS, sigma)
    return clone


def _keep_run_tensors(executor, noise, latent_image, sampler, sigmas, *args, **kwargs):
    """Put RunTensors where the wrappers of the model find them, until the run ends."""
    guider = executor.class_obj
    options = guider.model_options.setdefault("transformer_options", {})
    biased = any(KEY in entry for cond in guider.conds.values() for entry in cond or ())
    predictor = guider.model_options.get("sampler_calc_cond_batch_function")
    begins = guider.model_patcher.get_attachment(BEGINS)
    run = RunTensors(
        biased=biased,
        predictor=name_of(predictor) if predictor else "",
        begins=float(sigmas[0]) if begins is None else begins,
    )
    options[RUN] = run
    try:
        out = executor(noise, latent_image, sampler, sigmas, *args, **kwargs)
        _check_acted(run)
        return out
    finally:
        options.pop(RUN, None)
        run.clear()


def _install_bias(
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
    run = options.get(RUN) or RunTensors()
    first, run.called = not run.called, True
    if c_crossattn is not None:
        options = _with_bias(executor.class_obj, x, t, c_crossattn, options, kwargs)
    out = executor(x, t, c_concat, c_crossattn, control, options, **kwargs)
    joint = options.get(OVERRIDE)
    if isinstance(joint, JointAttention):
        run.acted, run.meant = run.acted or joint.acted, joint.layout
        if first:  # a cache may answer later ones, so these are judged when the run ends
            _check_acted(run)
    return out


def _check_acted(run: RunTensors) -> None:
    """Refuse a run whose attention should have been biased, and never was."""
    if run.meant is not None and not run.acted:
        raise CollageError(
            f"{NODE}, output model: no attention of {run.meant.queries} queries and "
            f"{run.meant.keys} keys was called, so another patch of the model changes its tokens, "
            "replaces its attention or answers in its place, and no layer would keep its place. "
            "Take it out."
        )


def _with_bias(model, x, t, context, options: dict, extras: dict) -> dict:
    """The options with the bias in every attention, or unchanged where no row has one."""
    run = options.get(RUN) or RunTensors()
    recorder = next(reversed(options.get("patches", {}).get(KEY) or [None]))
    chunks = _chunks(options, run)
    sigma = float(t.max()) if any(chunks) else 0.0  # this waits for the device
    pairs = [(chunk, _factor(chunk, sigma, model, run)) for chunk in chunks]
    acting = [(one, f) if one and (f or one.confined or recorder) else None for one, f in pairs]
    if not any(acting):
        return options
    network, pictures, layout = plain_network(model), len(x) // len(acting), None
    if is_transformer(network):
        check_call(network, x, extras, NODE)
        layout = layout_of(network, x, context.shape[1], extras)
    biased = [
        pair and _bias_at(*pair, x, len(acting), context.shape[1], layout, run) for pair in acting
    ]
    like, override = x.new_empty(0, dtype=model.get_dtype_inference()), options.get(OVERRIDE)
    use_override = run.get((OVERRIDE, override), lambda: obeys_mask(options, network, like))
    if layout is not None:
        biases = tuple(bias_at and bias_at(layout.grid) for bias_at in biased)
        joint = JointAttention(layout, biases, pictures, override, use_override, recorder)
        return {**options, OVERRIDE: joint}
    more = "attn2_patch" in options.get("patches", {})
    expected = Expected(pictures, context.shape[1], more)
    options = watch_tokens(options, context)
    replaced = options.get("patches_replace", {})
    blocks = dict(replaced.get("attn2", {}))
    for key, size in block_sizes(network, x.shape[-2:]):
        biases = tuple(bias_at and bias_at(size) for bias_at in biased)
        previous = blocks.get(key, blocks.get(key[:2]))
        blocks[key] = BlockAttention(size, biases, previous, expected, use_override, recorder)
    return {**options, "patches_replace": {**replaced, "attn2": blocks}}


def _chunks(options: dict, run: RunTensors) -> list[ChunkBias | None]:
    """The bias of each chunk of the batch; CollageError where it was not routed here."""
    known = options.get(KEY)
    if known is not None:
        keys = zip(options["cond_or_uncond"], options["uuids"], strict=True)
        return [known.get(key) for key in keys]
    if not run.biased:
        return []
    raise CollageError(
        f"{NODE}, output model: {run.predictor or 'another node'} asks it for predictions past "
        "ComfyUI's own calc_cond_batch, so the model cannot know which rows are of which words, "
        "and no layer would keep its place. Take that node out."
    )


def _bias_at(
    chunk: ChunkBias,
    factor: float,
    x: torch.Tensor,
    chunks: int,
    tokens: int,
    layout: Layout | None,
    run: RunTensors,
) -> Callable[[Size], BlockBias]:
    """A chunk's bias for any size of block: tensors on the device of x [rows, C, ..., h, w].

    tokens: text tokens of the call; layout: of a transformer's attention, None for a UNet.
    """
    check_picture(chunk, x, chunks)
    bias, place, device = chunk.asked.bias, (chunk.latent, chunk.area), x.device

    def words() -> TokenColumns:
        if layout is None:  # ComfyUI repeats the text until the whole batch has as many tokens
            return bias.token_columns(chunk.length, tokens, factor).to(device)
        columns = bias.token_columns(tokens, tokens, factor)
        return columns.moved(layout.first_token + chunk.start).to(device)

    def weights(size: Size) -> torch.Tensor:
        cells = run.get((bias, place), lambda: bias.cell_masks(*place))
        found = bias.weights_of(cells, size)
        if len(found) > 1:
            found = found[list(chunk.pictures)]
        return found.to(device)

    def weights_at(size: Size) -> torch.Tensor:
        return run.get((bias, place, size, chunk.pictures, device), lambda: weights(size))

    at = (chunk.length, chunk.start, tokens, layout)
    columns = run.get((bias, at, device), words).at(factor)
    return lambda size: BlockBias(weights_at(size), weights_at, columns)


def _factor(chunk: ChunkBias | None, sigma: float, model, run: RunTensors) -> float:
    """f(sigma) inside the bias's part of the schedule, else 0."""
    if chunk is None:
        return 0.0
    bias, sampling = chunk.asked.bias, model.model_sampling
    first, last = run.get((BEGINS, bias), lambda: _acts_between(bias, sampling, run.begins))
    noise = noise_to_signal(sigma) if isinstance(sampling, CONST) else sigma
    return bias.factor(noise) if last <= sigma <= first else 0.0


def _acts_between(bias: AttentionBias, sampling, begins: float | None) -> tuple[float, float]:
    """The highest and the lowest sigma at which the bias acts."""
    first = float("inf") if bias.start <= 0 else sampling.percent_to_sigma(bias.start)
    end = sampling.percent_to_sigma(bias.end)
    if begins is None:
        return first, end
    fraction = schedule_fraction(torch.tensor([begins]), sampling.sigmas)
    # a late start_percent begins later than the run, and would else never act
    last = last_fraction(bias.schedule, min(fraction, 1 - bias.start))
    return first, max(end, sampling.percent_to_sigma(1 - last))
