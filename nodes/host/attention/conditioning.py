"""What a conditioning asks of cross-attention travels in its own dictionary.

So conditionings that are combined, appended to, reordered or foreign are told apart, whatever
model they are sampled with.

The sampler turns a CONDITIONING, pairs of tensor and dict, into dicts with these keys. It calls the
wrapper CALC_COND_BATCH as (executor, model, conds, x_in, timestep, model_options).

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

from ....collage_core.attention.bias import Area, WordBias
from ....collage_core.collage.box import Box, wrong_shape
from ....collage_core.collage.collage import Collage
from ....collage_core.control import same_proportions
from ....collage_core.errors import CollageError
from ..models.batch_rows import Pictures, row_pictures

KEY = "collage_words"
NODE = "MaskedCrossAttentionPatch"


@dataclass(frozen=True, eq=False)
class Words:
    """The entry in a conditioning's dictionary: the bias and the text features that it counts on.

    collage: what it was made of; box: the part of the canvas that is sampled, None is all of it.
    """

    bias: WordBias
    features: torch.Tensor
    collage: Collage | None
    box: Box | None

    def __post_init__(self) -> None:
        MADE.add(self)

    def stand_in(self, features: torch.Tensor, first: int) -> bool:
        """Whether these text features are among others [1, K, D], at token `first` or later."""
        own = self.features
        length = own.shape[1]
        if features.shape[-1] != own.shape[-1] or features.shape[1] < first + length:
            return False
        starts = features[0, first : features.shape[1] - length + 1].to(own) == own[0, 0]
        places = starts.all(-1).nonzero().flatten() + first
        return any(torch.equal(features[:, i : i + length].to(own), own) for i in places.tolist())


MADE: WeakSet[Words] = WeakSet()  # to know them again where a node dropped their dictionary


@dataclass(frozen=True, eq=False)
class Chunk:
    """One conditioning's rows of a batch: its bias, its length and the area it paints.

    latent: height and width of the whole picture; pictures: which of the collage's is each row;
    box: the part of the canvas that the picture is, None is all of it.
    """

    bias: WordBias
    length: int
    area: Area | None
    latent: tuple[int, int]
    pictures: Pictures
    box: Box | None

    def size(self) -> tuple[int, int]:
        return self.latent if self.area is None else self.area[:2]


def with_words(
    conditioning: list, bias_of_length, collage: Collage | None = None, box: Box | None = None
) -> list:
    """A copy of the CONDITIONING whose entries carry the bias made for their length."""

    def words(features: torch.Tensor) -> Words:
        return Words(bias_of_length(features.shape[1]), features, collage, box)

    return [[features, {**options, KEY: words(features)}] for features, options in conditioning]


def hand_over(executor, model, conds, x_in, timestep, model_options):
    """Tell the model call, by place in `conds` and uuid, which conditionings ask for a bias.

    Where one of positive and negative has an area of its own, the host gives the other a copy of
    that whole entry, uuid and all, with its own text features in model_conds. So those features
    say whose words an entry speaks.
    """
    entries = [(number, entry) for number, cond in enumerate(conds) for entry in cond or ()]
    spoken = {
        id(entry["cross_attn"]): entry[KEY]
        for _, entry in entries
        if KEY in entry and entry.get("cross_attn") is not None
    }
    options = model_options.get("transformer_options", {})
    chunks = {}
    for number, entry in entries:
        features = getattr(entry["model_conds"].get("c_crossattn"), "cond", None)
        words = spoken.get(id(features))
        if words is None and KEY in entry and _equal(features, entry.get("cross_attn")):
            words = entry[KEY]  # a host that moves the features to its device makes a copy
        if words is not None and features is not None:
            chunks[number, entry["uuid"]] = _chunk(words, features, entry, x_in, options)
    options = {**options, KEY: chunks}
    return executor(model, conds, x_in, timestep, {**model_options, "transformer_options": options})


def _equal(features: torch.Tensor | None, original: torch.Tensor | None) -> bool:
    if features is None or original is None or features.shape != original.shape:
        return False
    return torch.equal(features.to(original), original)


def _chunk(
    words: Words, features: torch.Tensor, entry: dict, x_in: torch.Tensor, options: dict
) -> Chunk | None:
    own, area = words.features, entry.get("area")
    if not words.bias.regions:
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
    pictures = row_pictures(len(words.bias.masks), count, options, f"{NODE}, input collage")
    if area is not None:  # it may reach over the edge; the host cuts it off there
        height, width, top, left = area
        area = (min(height, rows - top), min(width, columns - left), top, left)
    return Chunk(words.bias, features.shape[1], area, (rows, columns), pictures, words.box)


def check_picture(chunk: Chunk, x: torch.Tensor, chunks: int) -> None:
    """Refuse what cannot be steered: x [rows, C, h, w] of a call with that many chunks."""
    if len(x) != chunks * len(chunk.pictures):
        raise CollageError(
            f"{NODE}, output model: it is asked for {len(x)} pictures at once instead of "
            f"{chunks * len(chunk.pictures)}, so another node cut or split the batch, as tiled "
            "sampling does. Sample without it."
        )
    if tuple(x.shape[-2:]) != chunk.size():
        raise CollageError(
            f"{NODE}, output model: it is asked for a tile of {x.shape[-1]} x {x.shape[-2]} "
            f"latent cells out of {chunk.latent[1]} x {chunk.latent[0]}, and cannot know where "
            "the tile lies. Sample without tiles."
        )
    (height, width), (rows, columns) = chunk.bias.masks.shape[-2:], chunk.latent
    if not same_proportions(chunk.latent, chunk.bias.masks.shape[-2:]):
        raise CollageError(f"{NODE}, {wrong_shape(chunk.box, (height, width), (rows, columns))}.")
