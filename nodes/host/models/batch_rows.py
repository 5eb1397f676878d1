"""The picture of a collage that every row of a model call is, where each picture has own masks.

Host symbols:
    comfy.model_patcher.ModelPatcher: clone(), set_model_patch(patch, name), "patches"
    comfy.context_windows.IndexListContextHandler: "context_window"
    comfy.context_windows.IndexListContextWindow(index_list, dim, total_frames): dim,
        total_frames, get_tensor(full)
    nodes.common_ksampler: "samples", "batch_index"
"""

from __future__ import annotations

import torch

from ....collage_core.collage.collage import Collage, batch_pictures
from ....collage_core.errors import CollageError

KEY = "collage_pictures"
Pictures = tuple[int, ...]


def latent_pictures(collage: Collage, latent: dict | None, node: str, name: str) -> Pictures | None:
    """The picture of the collage that each latent of the LATENT `name` is.

    None where the collage has one picture for all latents, or one for each in the same order.
    Raises CollageError where it is not known.
    """
    pictures = len(collage.composite.image)
    if latent is None or latent["samples"].is_nested or pictures == 1:
        return None
    samples = latent["samples"]
    index = latent.get("batch_index")
    found = batch_pictures(pictures, len(samples), index)
    if found is None:
        told = "no batch_index" if index is None else f"the batch_index {[*index]}"
        raise CollageError(
            f"{node}, input {name}: a batch of {len(samples)} with {told} does not say which of "
            f"the {pictures} pictures of the collage it holds. Give it one latent for each, or "
            "take them with LatentFromBatch out of a batch that has one for each."
        )
    return None if found == tuple(range(pictures)) else found


def tell_pictures(model, pictures: Pictures | None):
    """A clone of the MODEL that is sampled with these pictures, one row each; None for all."""
    if pictures is None:
        return model
    told = model.clone()
    told.set_model_patch(pictures, KEY)
    return told


def row_pictures(pictures: int, rows: int, options: dict, where: str) -> Pictures:
    """The picture of each row of a chunk, in a call with these transformer_options.

    Raises CollageError, beginning with `where`, if that is not known: ComfyUI's own samplers do
    not pass on which part of a batch they were given.
    """
    told = options.get("patches", {}).get(KEY)
    window = options.get("context_window")
    if pictures == 1:
        return (0,) * rows
    if window is not None and window.dim != 0:
        window = None  # its parts are frames or the like, not pictures of the batch
    count = rows if window is None else window.total_frames
    found = told[-1] if told else batch_pictures(pictures, count)
    if window is not None and found is not None:
        found = tuple(window.get_tensor(torch.tensor(found)).tolist())
    if found is None or len(found) != rows:
        raise CollageError(
            f"{where}: it has {pictures} pictures, and which of them the {rows} are "
            f"that are sampled is not known. Sample all {pictures} together, or a part of them "
            "with PerLayerNoiseKSampler."
        )
    return found
