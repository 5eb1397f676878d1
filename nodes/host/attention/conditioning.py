"""The bias travels in the dictionary of the conditioning that it belongs to.

So every conditioning keeps its own bias where conditionings are combined, appended to, reordered
or mixed with those of other nodes, whatever model they are sampled with.

The sampler turns a CONDITIONING, pairs of tensor and dict, into dicts with the keys below. It calls
the wrapper CALC_COND_BATCH as (executor, model, conds, x_in, timestep, model_options), and the
wrapper OUTER_SAMPLE as (executor, noise, latent_image, ...) with the guider as class_obj.

Host symbols:
    comfy.sampler_helpers.convert_cond: "cross_attn", "model_conds", "uuid"
    comfy.samplers.get_area_and_mult: "area"
    comfy.model_base.BaseModel: "c_crossattn"
    comfy.conds.CONDRegular: cond
    comfy.samplers.calc_cond_batch(model, conds, x_in, timestep, model_options)
    comfy.samplers.CFGGuider: conds
    comfy.samplers.CFGGuider: outer_sample(noise, latent_image, sampler, sigmas)
    comfy.samplers: "CALC_COND_BATCH", "OUTER_SAMPLE", "transformer_options"
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from weakref import WeakSet

import torch

from ....collage_core.attention.bias import Area, AttentionBias
from ....collage_core.collage.box import Box, wrong_shape
from ....collage_core.collage.collage import CELL, Collage
from ....collage_core.control import same_proportions
from ....collage_core.errors import CollageError
from ..models.batch_rows import Pictures, row_pictures

KEY = "collage_words"
NODE = "MaskedCrossAttentionPatch"

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ConditioningBias:
    """What a conditioning's dictionary holds under KEY: a bias and the text features it is for.

    features: [1, K, D], the tokens that the bias counts; collage: where the bias comes from; box:
    the part of the canvas that is sampled, None for all of it.

        [[features, {"collage_words": ConditioningBias(bias, features, collage, None)}]]
    """

    bias: AttentionBias
    features: torch.Tensor
    collage: Collage | None
    box: Box | None

    def __post_init__(self) -> None:
        MADE.add(self)

    def found_in(self, features: torch.Tensor, first: int) -> bool:
        """Whether these text features are part of others [1, K, D], from token `first` on."""
        own = self.features
        length = own.shape[1]
        if features.shape[-1] != own.shape[-1] or features.shape[1] < first + length:
            return False
        starts = features[0, first : features.shape[1] - length + 1].to(own) == own[0, 0]
        places = starts.all(-1).nonzero().flatten() + first
        return any(torch.equal(features[:, i : i + length].to(own), own) for i in places.tolist())


# All that are alive, to recognise text features whose dictionary a node has dropped.
MADE: WeakSet[ConditioningBias] = WeakSet()


@dataclass(frozen=True, eq=False)
class ChunkBias:
    """A ConditioningBias in one model call, where it biases one chunk of the batch's rows.

    length: tokens of the conditioning with what other nodes appended; area: the part of the
    latent that it paints, None for all of it; latent: height and width of the whole latent;
    pictures: the collage's picture that each row is.

        ChunkBias(asked, length=77, area=None, latent=(64, 64), pictures=(0, 1))
    """

    asked: ConditioningBias
    length: int
    area: Area | None
    latent: tuple[int, int]
    pictures: Pictures


def with_bias(
    conditioning: list, bias: AttentionBias, collage: Collage | None = None, box: Box | None = None
) -> list:
    """A copy of the CONDITIONING whose entries carry the bias."""
    return [
        [features, {**options, KEY: ConditioningBias(bias, features, collage, box)}]
        for features, options in conditioning
    ]


def check_before_sampling(executor, noise, latent_image, *args, **kwargs):
    """Once before a sampling: refuse a bias that lost its tokens, and log what may be a mistake."""
    conds = getattr(executor.class_obj, "conds", {})
    entries = [entry for cond in conds.values() for entry in cond or ()]
    for entry in entries:
        if entry.get("cross_attn") is not None:
            _check_order(entry.get(KEY), entry["cross_attn"])
    carried = [entry[KEY] for entry in entries if KEY in entry]
    if not carried:  # meant where a second pass has another prompt, else a mistake
        log.warning(
            "%s, output positive: the sampler got no conditioning of this node, or another node "
            "changed it, so words act everywhere. Connect positive to the sampler of this model.",
            NODE,
        )
    for asked in carried[:1]:
        _log_what_is_sampled(asked, latent_image)
    return executor(noise, latent_image, *args, **kwargs)


def _log_what_is_sampled(asked: ConditioningBias, latent_image: torch.Tensor) -> None:
    """A latent of another size may be a second pass over a larger picture, or a crop."""
    (height, width), (rows, columns) = asked.bias.masks.shape[-2:], latent_image.shape[-2:]
    if asked.box is None and (height, width) != (rows * CELL, columns * CELL):
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
    if any(made.bias.regions and made.found_in(features, first) for made in [*MADE]):
        raise CollageError(
            f"{NODE}, output positive: its words stand behind those of another conditioning, as "
            "ConditioningConcat puts them, so their places are lost and they would act everywhere. "
            "Use ConditioningCombine instead, or connect it as conditioning_to."
        )


def route_biases(executor, model, conds, x_in, timestep, model_options):
    """Give the model call every bias by its conditioning's place in `conds` and uuid.

    If only one of positive and negative has an area, ComfyUI gives the other prompt a copy of that
    entry. The copy keeps the uuid, but has its own text features in model_conds, so the bias of an
    entry is looked up by these.
    """
    entries = [(number, entry) for number, cond in enumerate(conds) for entry in cond or ()]
    by_features = {
        id(entry["cross_attn"]): entry[KEY]
        for _, entry in entries
        if KEY in entry and entry.get("cross_attn") is not None
    }
    options = model_options.get("transformer_options", {})
    chunks = {}
    for number, entry in entries:
        features = getattr(entry["model_conds"].get("c_crossattn"), "cond", None)
        asked = by_features.get(id(features))
        if asked is None and KEY in entry and _equal(features, entry.get("cross_attn")):
            asked = entry[KEY]  # ComfyUI makes a copy when it moves the features to its device
        if asked is not None and features is not None:
            chunks[number, entry["uuid"]] = _chunk(asked, features, entry, x_in, options)
    options = {**options, KEY: chunks}
    return executor(model, conds, x_in, timestep, {**model_options, "transformer_options": options})


def _equal(features: torch.Tensor | None, original: torch.Tensor | None) -> bool:
    if features is None or original is None or features.shape != original.shape:
        return False
    return torch.equal(features.to(original), original)


def _chunk(
    asked: ConditioningBias, features: torch.Tensor, entry: dict, x_in: torch.Tensor, options: dict
) -> ChunkBias | None:
    own, area = asked.features, entry.get("area")
    if not asked.bias.regions:
        return None
    if features is not own:
        if not features.any():
            return None  # ConditioningZeroOut
        if not torch.equal(features[:, : own.shape[1]].to(own), own):
            raise CollageError(
                f"{NODE}, output positive: its text features were changed on the way to the "
                "sampler, as ConditioningAverage does, so its words can no longer be placed. "
                "Connect it to the sampler directly, or combine it with ConditioningCombine."
            )
    count, _, rows, columns = x_in.shape
    pictures = row_pictures(len(asked.bias.masks), count, options, f"{NODE}, input collage")
    if area is not None:  # it may reach over the edge, where ComfyUI cuts it off
        height, width, top, left = area
        area = (min(height, rows - top), min(width, columns - left), top, left)
    return ChunkBias(asked, features.shape[1], area, (rows, columns), pictures)


def check_picture(chunk: ChunkBias, x: torch.Tensor, chunks: int) -> None:
    """Refuse a call whose x [rows, C, h, w] does not show what its `chunks` conditionings paint."""
    size = chunk.latent if chunk.area is None else chunk.area[:2]
    if len(x) != chunks * len(chunk.pictures):
        raise CollageError(
            f"{NODE}, output model: it is asked for {len(x)} pictures at once instead of "
            f"{chunks * len(chunk.pictures)}, so another node cut or split the batch, as tiled "
            "sampling does. Sample without it."
        )
    if tuple(x.shape[-2:]) != size:
        raise CollageError(
            f"{NODE}, output model: it is asked for a tile of {x.shape[-1]} x {x.shape[-2]} "
            f"latent cells out of {chunk.latent[1]} x {chunk.latent[0]}, and cannot know where "
            "the tile lies. Sample without tiles."
        )
    height, width = chunk.asked.bias.masks.shape[-2:]
    if not same_proportions(chunk.latent, (height, width)):
        raise CollageError(
            f"{NODE}, {wrong_shape(chunk.asked.box, (height, width), chunk.latent)}."
        )
