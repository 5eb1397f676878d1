"""What is looked at once, before a patched model is sampled.

The wrapper OUTER_SAMPLE is called as (executor, noise, latent_image, ...) with the guider as
class_obj.

Host symbols:
    comfy.samplers: "OUTER_SAMPLE"
    comfy.samplers.CFGGuider: conds
    comfy.samplers.CFGGuider: outer_sample(noise, latent_image, sampler, sigmas)
    comfy.sampler_helpers.convert_cond: "cross_attn"
"""

from __future__ import annotations

import logging

import torch

from ....collage_core.collage.collage import CELL
from ....collage_core.errors import CollageError
from .conditioning import KEY, MADE, NODE, Words

log = logging.getLogger(__name__)


def look_over(executor, noise, latent_image, *args, **kwargs):
    """Before a sampling: refuse words whose places were lost, and say what is taken for granted."""
    conds = getattr(executor.class_obj, "conds", {})
    entries = [entry for cond in conds.values() for entry in cond or ()]
    for entry in entries:
        if entry.get("cross_attn") is not None:
            _check_order(entry.get(KEY), entry["cross_attn"])
    carried = [entry[KEY] for entry in entries if KEY in entry]
    if not carried:  # meant, with another prompt for a second pass, or a slip
        log.warning(
            "%s, output positive: no conditioning that this model is sampled with comes from the "
            "node as it was, so words act everywhere.",
            NODE,
        )
    for words in carried[:1]:
        _say_what_is_sampled(words, latent_image)
    return executor(noise, latent_image, *args, **kwargs)


def _say_what_is_sampled(words: Words, latent_image: torch.Tensor) -> None:
    """A second pass over a larger picture is meant as often as a crop that was not told."""
    (height, width), (rows, columns) = words.bias.masks.shape[-2:], latent_image.shape[-2:]
    if words.box is None and (height, width) != (rows * CELL, columns * CELL):
        log.info(
            "%s: the latent of %d x %d cells is taken for all of the canvas of %d x %d pixels. If "
            "it is a crop, connect its box to crop.",
            *(NODE, columns, rows, width, height),
        )


def _check_order(words: Words | None, features: torch.Tensor) -> None:
    """Refuse words of ours behind others: ConditioningConcat drops the dictionary of the second.

    At the beginning features without `words` may be those of an encoder that read the same prompt.
    """
    first = 1 if words is None else words.features.shape[1]
    if any(made.bias.regions and made.stand_in(features, first) for made in [*MADE]):
        raise CollageError(
            f"{NODE}, output positive: its words stand behind those of another conditioning, as "
            "ConditioningConcat puts them, so their places are lost and they would act everywhere. "
            "Use ConditioningCombine instead, or connect it as conditioning_to."
        )
