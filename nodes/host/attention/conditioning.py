"""The bias travels in the dictionary of the conditioning that it belongs to.

So every conditioning keeps its own bias where conditionings are combined, appended to, reordered
or mixed with those of other nodes, whatever model they are sampled with.

The sampler turns a CONDITIONING, pairs of tensor and dict, into dicts with the keys below. It calls
the wrapper CALC_COND_BATCH as (executor, model, conds, x_in, timestep, model_options).

Host symbols:
    comfy.sampler_helpers.convert_cond: "cross_attn", "model_conds", "uuid"
    comfy.samplers.get_area_and_mult: "area"
    comfy.model_base.BaseModel: "c_crossattn"
    comfy.conds.CONDRegular: cond
    comfy.samplers.calc_cond_batch(model, conds, x_in, timestep, model_options)
    comfy.samplers: "CALC_COND_BATCH", "transformer_options"
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakSet

import torch

from ....collage_core.attention.bias import Area, AttentionBias
from ....collage_core.attention.spans import TokenSpans, plain_around
from ....collage_core.collage.box import Box, wrong_shape
from ....collage_core.collage.collage import Collage
from ....collage_core.control import same_proportions
from ....collage_core.errors import CollageError
from ..models.batch_rows import Pictures, row_pictures
from .run_tensors import RUN, RunTensors

KEY = "collage_words"
PAINTED = "collage_painted"
DURING_A_RUN = "collage_words_of_a_run"
NODE = "MaskedCrossAttentionPatch"
POOLED = ("pooled_output",)


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

    def place_in(self, features: torch.Tensor, first: int = 0) -> int | None:
        """The first token, from `first` on, at which these text features stand in [1, K, D]."""
        own = self.features
        length = own.shape[1]
        if features.shape[-1] != own.shape[-1] or features.shape[1] < first + length:
            return None
        starts = features[0, first : features.shape[1] - length + 1].to(own) == own[0, 0]
        places = (starts.all(-1).nonzero().flatten() + first).tolist()
        found = (i for i in places if torch.equal(features[:, i : i + length].to(own), own))
        return next(found, None)


# All that are alive, to recognise text features whose dictionary a node has dropped.
MADE: WeakSet[ConditioningBias] = WeakSet()


@dataclass(frozen=True, eq=False)
class ChunkBias:
    """A ConditioningBias in one model call, where it biases one chunk of the batch's rows.

    length: tokens of the conditioning with what other nodes appended; start: how many the model
    puts before its own; area: the part of the latent that it paints, None for all of it; latent:
    height and width of the whole latent; pictures: the collage's picture that each row is.

        ChunkBias(asked, length=77, start=0, area=None, latent=(64, 64), pictures=(0, 1))
    """

    asked: ConditioningBias
    length: int
    start: int
    area: Area | None
    latent: tuple[int, int]
    pictures: Pictures

    @property
    def confined(self) -> bool:
        return self.asked.bias.confined


@dataclass(frozen=True)
class Painted:
    """Where the conditionings of a call paint: the height and width of the whole latent, and each
    one's area by its place in `conds` and uuid, None for all of it.
    """

    latent: tuple[int, int]
    areas: dict[tuple[int, object], Area | None]


def with_bias(
    conditioning: list, bias: AttentionBias, collage: Collage | None = None, box: Box | None = None
) -> list:
    """A copy of the CONDITIONING whose entries carry the bias."""
    return [
        [features, {**options, KEY: ConditioningBias(bias, features, collage, box)}]
        for features, options in conditioning
    ]


def with_plain_rest(conditioning: list, plain: list, spans: TokenSpans) -> list:
    """The CONDITIONING with nothing but the words of `spans` apart from the plain prompt's.

    Its pooled output, which acts everywhere, is that of the plain prompt too.
    """
    return [
        [
            plain_around(features, around, spans),
            {**options, **{name: more[name] for name in POOLED if name in more}},
        ]
        for (features, options), (around, more) in zip(conditioning, plain, strict=True)
    ]


def bias_of(entry: dict) -> ConditioningBias | None:
    """The bias of an entry that a sampler is about to use, or None.

    During a sampling it lies among the entry's model_conds, beside its text features: ComfyUI
    copies an entry to another prompt's area with the model_conds of that prompt.
    """
    if not entry.get(DURING_A_RUN):
        return entry.get(KEY)
    return getattr(entry["model_conds"].get(KEY), "cond", None)


def route_biases(executor, model, conds, x_in, timestep, model_options):
    """Give the model call every bias by its conditioning's place in `conds` and uuid.

    The model gets the conditionings without it: it would not know what to do with it, and entries
    that differ in their model_conds do not share a batch.
    """
    options = model_options.get("transformer_options", {})
    chunks, areas, handed_on = {}, {}, []
    for number, cond in enumerate(conds):
        for entry in cond or ():
            areas[number, entry["uuid"]] = _inside(entry.get("area"), x_in)
            asked = bias_of(entry)
            features = getattr(entry["model_conds"].get("c_crossattn"), "cond", None)
            if asked is not None and features is not None:
                chunks[number, entry["uuid"]] = _chunk(asked, features, entry, x_in, options)
        handed_on.append(cond and [_without_bias(entry) for entry in cond])
    options = {**options, KEY: chunks, PAINTED: Painted(tuple(x_in.shape[-2:]), areas)}
    options = {**model_options, "transformer_options": options}
    return executor(model, handed_on, x_in, timestep, options)


def _without_bias(entry: dict) -> dict:
    if KEY not in entry["model_conds"]:
        return entry
    known = {name: value for name, value in entry["model_conds"].items() if name != KEY}
    return {**entry, "model_conds": known}


def _chunk(
    asked: ConditioningBias, features: torch.Tensor, entry: dict, x_in: torch.Tensor, options: dict
) -> ChunkBias | None:
    own, area = asked.features, entry.get("area")
    if not asked.bias.regions:
        return None
    run = options.get(RUN) or RunTensors()  # comparing features waits for the device
    start = 0 if features is own else run.get((asked, features), lambda: _start(asked, features))
    if start is None:
        return None
    pictures = row_pictures(len(asked.bias.masks), len(x_in), options, f"{NODE}, input collage")
    area, (rows, columns) = _inside(area, x_in), x_in.shape[-2:]
    return ChunkBias(asked, features.shape[1], start, area, (rows, columns), pictures)


def _inside(area: tuple[int, ...] | None, x_in: torch.Tensor) -> Area | None:
    """The area of an entry, which may reach over the edge, where ComfyUI cuts it off."""
    if area is None:
        return None
    (height, width), (top, left) = area[len(area) // 2 - 2 : len(area) // 2], area[-2:]
    return min(height, x_in.shape[-2] - top), min(width, x_in.shape[-1] - left), top, left


def _start(asked: ConditioningBias, features: torch.Tensor) -> int | None:
    """The token at which the model's text has our own; None after ConditioningZeroOut."""
    if not features.any():
        return None
    # models pad on either side; an adapter's features are others in the same places
    return asked.place_in(features) or 0


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
