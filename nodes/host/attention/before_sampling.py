"""What happens once before a patched model is sampled: checks, and biases beside their texts.

The wrapper OUTER_SAMPLE is called as (executor, noise, latent_image, ...) with the guider as
class_obj. The guider's conds are copies of its own, which end with the run.

Host symbols:
    comfy.samplers: "OUTER_SAMPLE"
    comfy.samplers.CFGGuider: conds, model_patcher
    comfy.model_patcher.ModelPatcher: get_model_object(name)
    comfy.latent_formats.LatentFormat: spacial_downscale_ratio
    comfy.samplers.CFGGuider: outer_sample(noise, latent_image, sampler, sigmas)
    comfy.sampler_helpers.convert_cond: "cross_attn", "model_conds"
    comfy.conds.CONDConstant(cond)
"""

from __future__ import annotations

import logging

import torch
from comfy.conds import CONDConstant

from ....collage_core.errors import CollageError, quoted
from .conditioning import DURING_A_RUN, KEY, MADE, NODE, ConditioningBias

log = logging.getLogger(__name__)


def check_before_sampling(executor, noise, latent_image, *args, **kwargs):
    """Once before a sampling: refuse a bias that lost its tokens, and log what may be a mistake."""
    conds = getattr(executor.class_obj, "conds", {})
    entries = [entry for cond in conds.values() for entry in cond or ()]
    for entry in entries:
        if entry.get("cross_attn") is not None:
            _check_order(entry.get(KEY), entry["cross_attn"])
            _check_unchanged(entry.get(KEY), entry["cross_attn"])
    carried = [entry[KEY] for entry in entries if KEY in entry]
    _log_what_is_lost(carried, asks_for_a_negative=len(conds) > 1)
    shapes = kwargs.get("latent_shapes") or [latent_image.shape]
    if carried and len(shapes) > 1:
        raise CollageError(
            f"{NODE}, output positive: the sampler got {len(shapes)} latents in one, as of frames "
            "with sound, and a collage is one picture. Connect the latent of a picture alone."
        )
    for asked in carried[:1]:
        _log_what_is_sampled(asked, latent_image, executor.class_obj.model_patcher)
    for entry in entries:  # the guider's own copies, which end with the run
        entry[DURING_A_RUN] = True
        if KEY in entry and entry["cross_attn"].any():  # not after ConditioningZeroOut
            known = entry.get("model_conds", {})
            entry["model_conds"] = {**known, KEY: CONDConstant(entry[KEY])}
    return executor(noise, latent_image, *args, **kwargs)


def _log_what_is_lost(carried: list[ConditioningBias], *, asks_for_a_negative: bool) -> None:
    """Words of the collage that do not reach the sampler, which may be meant."""
    confined = [asked for asked in carried if asked.bias.confined]
    if len(confined) == len(carried):  # meant where a second pass has another prompt
        log.warning(
            "%s, output positive: the sampler got no conditioning of this node, or another node "
            "changed it, so words act everywhere. Connect positive to the sampler of this model.",
            NODE,
        )
    unwanted = dict.fromkeys(
        f"{number} {quoted(layer.text)}"
        for asked in carried
        for number, layer in (asked.collage.numbered if asked.collage else ())
        if layer.negative.strip()
    )
    if unwanted and asks_for_a_negative and not confined:
        log.warning(
            "%s, output negative: there are words that layer %s must not show, but the sampler got "
            "no negative of this node. Connect it to the sampler.",
            *(NODE, ", ".join(unwanted)),
        )


def _log_what_is_sampled(asked: ConditioningBias, latent_image: torch.Tensor, model) -> None:
    """A latent of another size may be a second pass over a larger picture, or a crop."""
    (height, width), (rows, columns) = asked.bias.masks.shape[-2:], latent_image.shape[-2:]
    cell = model.get_model_object("latent_format").spacial_downscale_ratio
    if asked.box is None and (height // cell, width // cell) != (rows, columns):
        log.info(
            "%s: the latent of %d x %d cells is taken for all of the canvas of %d x %d pixels. If "
            "it is a crop, connect its box to crop.",
            *(NODE, columns, rows, width, height),
        )


def _check_order(asked: ConditioningBias | None, features: torch.Tensor) -> None:
    """Refuse our text features behind others: ConditioningConcat drops the second dictionary.

    At the start, features without a bias may be those of an encoder that read the same prompt.
    """
    first = 1 if asked is None else asked.features.shape[1]
    if any(made.bias.regions and made.place_in(features, first) is not None for made in [*MADE]):
        raise CollageError(
            f"{NODE}, output positive: its words stand behind those of another conditioning, as "
            "ConditioningConcat puts them, so their places are lost and they would act everywhere. "
            "Use ConditioningCombine instead, or connect it as conditioning_to."
        )


def _check_unchanged(asked: ConditioningBias | None, features: torch.Tensor) -> None:
    """Refuse a bias whose text features are others now: its tokens may stand elsewhere."""
    if asked is None or features is asked.features or not features.any():  # ConditioningZeroOut
        return
    own = asked.features
    if not torch.equal(features[:, : own.shape[1]].to(own), own):
        raise CollageError(
            f"{NODE}, output positive: its text features were changed on the way to the "
            "sampler, as ConditioningAverage does, so its words can no longer be placed. "
            "Connect it to the sampler directly, or combine it with ConditioningCombine."
        )
