"""What of a layer of a PSD file a collage shows in another way, in sentences with its name.

Nothing of this is applied silently: whoever opens the file reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import quoted
from .psd_names import blend_of
from .psd_pixels import box_of, overlap, record, strength

WHOLE = (0, 65535)  # a range of Blend If that leaves nothing out


def layer_notes(layer: Any, soft: bool) -> Iterator[str]:
    """soft: whether a layer that clips this one has a soft edge there."""
    yield from (f"Layer {quoted(layer.name)} {what}." for what in _of_layer(layer, soft))


def group_notes(group: Any) -> Iterator[str]:
    yield from (f"Layer {quoted(group.name)} {what}." for what in _of_group(group))


def _of_layer(layer: Any, soft: bool) -> Iterator[str]:
    blend = blend_of(layer.blend_mode.value)
    if blend is None:
        yield f"is blended as {_mode(layer)}, which a collage has not; it becomes normal"
    if blend == "add" and layer.fill_opacity < 255:
        yield "is added with a fill opacity, which is taken as its opacity; it looks different"
    if layer.has_effects():
        yield "has layer styles, which are not applied; merge them into it"
    parameters = layer.mask and layer.mask.parameters
    if parameters and parameters.user_mask_feather:
        yield "has a mask with a soft edge (feather), which is not applied"
    cut = layer.mask is not None and layer.mask.has_real()
    if layer.has_vector_mask() and not cut and layer.kind != "shape":
        yield "has a vector mask, which is not applied; make it pixels"
    if layer.kind == "type":
        yield "is text, whose soft edges painting programs mix a little differently"
    if soft:
        yield "is clipped by a layer with a soft edge, where it looks a little different"
    yield from _advanced(layer)


def _of_group(group: Any) -> Iterator[str]:
    if group.kind == "artboard":
        yield "is an artboard, whose background and edges are not applied"
    if blend_of(group.blend_mode.value) != "normal":
        yield f"is a group blended as {_mode(group)}; its layers are put down as they are"
    elif not _passes(group) and not all(map(_is_plain, group.descendants())):
        yield (
            "is a group that keeps the blend modes of its layers to itself; here they act on all "
            "that lies below"
        )
    apart = strength(group) < 1 or (group.mask is not None and not group.mask.disabled)
    if apart and overlap(box_of(one) for one in group if one.visible):
        yield (
            "is a group with an opacity or a mask, which each of its layers gets; where they "
            "overlap, it looks different"
        )
    yield from _advanced(group)


def _advanced(layer: Any) -> Iterator[str]:
    """What Photoshop calls advanced blending."""
    from psd_tools.constants import Tag

    blocks, ranges = layer.tagged_blocks, record(layer).blending_ranges
    if blocks.get_data(Tag.KNOCKOUT_SETTING):
        yield "knocks out what lies below it, which is not applied"
    if blocks.get_data(Tag.CHANNEL_BLENDING_RESTRICTIONS_SETTING):
        yield "leaves out channels, which is not applied"
    pairs = [ranges.composite_ranges or [], *(ranges.channel_ranges or [])]
    if any(tuple(one) != WHOLE for pair in pairs for one in pair):
        yield "is shown in a range of brightness alone (Blend If), which is not applied"


def _is_plain(layer: Any) -> bool:
    return blend_of(layer.blend_mode.value) == "normal"


def _passes(group: Any) -> bool:
    return group.blend_mode.name == "PASS_THROUGH"


def _mode(layer: Any) -> str:
    return layer.blend_mode.name.lower().replace("_", " ")
