"""IMAGE and MASK as a user connects them, made clean colour and alpha; and tensors given out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..errors import CollageError

OPAQUE_ALPHA = 0.99  # and above; WebP, GIF and CMYK JPEG decode an opaque alpha as 0.996
RANGE_TOLERANCE = 0.01  # rounding of other nodes, not worth a note
VISIBLE_ALPHA = 2 / 255  # and above; less is nothing
MIN_HOLE_SHARE = 0.005  # of the image; smaller holes are specks
# Devices on which torch can copy on writing; elsewhere the copy is made at once.
LAZY_DEVICES = ("cpu", "cuda")
MAX_PLAIN_DIFFERENCE = 0.04  # of colour, as JPEG makes it on a plain background
MIN_OBJECT_DIFFERENCE = 0.2  # of colour, between an object and a plain background


@dataclass(frozen=True)
class Polarity:
    """What 1 means in a MASK that is connected to the input `name`.

    Example: SEGMENTED.alpha(mask) is the mask itself, as segmenters give it.
    """

    name: str
    transparent: int  # the value that is transparent
    turn: str  # what to do where the mask means the opposite

    def alpha(self, mask: torch.Tensor) -> torch.Tensor:
        return 1 - mask if self.transparent else mask


LOADED = Polarity("mask", 1, "where 1 is meant to be the object, put an InvertMask before it")
SEGMENTED = Polarity("masks", 0, "where 1 is meant to be transparent, put an InvertMask before it")


def clean_pixels(
    image: torch.Tensor,
    mask: torch.Tensor | None,
    node: str,
    image_input: str = "image",
    polarity: Polarity = LOADED,
) -> tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]:
    """IMAGE [B, H, W, 3 or 4], MASK as `mask_batch` takes it -> image, alpha [B, H, W], notes.

    The mask is LoadImage's, 1 = transparent, or that of another `polarity`; its opacity is
    multiplied with a fourth channel. All tensors are returned as float32 in [0, 1]. The notes say
    which values had to be changed, and whether the mask looks inverted. Raises CollageError in the
    name of `node` for other shapes and for values that are not numbers.
    """
    where = f"{node}, input {image_input}"
    check_image(image, where)
    notes: list[str] = []
    image = _in_range(image, where, notes)
    colour, alpha = image[..., :3], image[..., 3:].prod(-1)  # the product of no channel is 1
    if mask is not None:
        where = f"{node}, input {polarity.name}"
        opaque = _opacity(mask, image, where, polarity, notes)
        if len(image) != len(opaque) and 1 not in (len(image), len(opaque)):
            raise CollageError(
                f"{where}: a batch of {len(opaque)} does not fit the image's batch of "
                f"{len(image)}. Use one mask, or one for every image."
            )
        if len(opaque) > len(image):
            notes.append(
                f"{len(opaque)} masks for one image make {len(opaque)} pictures; for one picture "
                "join them with MaskComposite, or give each a Collage Layer of its own"
            )
        notes += [note for note in [_polarity_note(alpha, opaque, polarity)] if note]
        alpha = alpha * opaque
        colour = colour.expand(len(alpha), -1, -1, -1)
    return colour, alpha.masked_fill(alpha >= OPAQUE_ALPHA, 1), tuple(notes)


def check_image(image: torch.Tensor, where: str) -> None:
    """Raise CollageError, which begins with `where`, for a tensor that is no IMAGE."""
    if image.ndim != 4 or image.shape[-1] not in (3, 4) or 0 in image.shape:
        raise CollageError(
            f"{where}: has the shape {list(image.shape)}, but must be [batch, height, width, "
            "3 or 4 channels] with at least one pixel. Connect an IMAGE such as LoadImage's."
        )


def seen_box(alpha: torch.Tensor) -> tuple[slice, slice]:
    """The rows and columns around the visible part of alpha [H, W]; empty if there is none."""
    return box_of(alpha >= VISIBLE_ALPHA)


def box_of(region: torch.Tensor) -> tuple[slice, slice]:
    """The rows and columns around all True of [H, W]; empty if nothing is True."""
    rows, columns = (region.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    if not rows:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def on_plain_background(image: torch.Tensor, alpha: torch.Tensor) -> bool:
    """Whether image [B, H, W, 3] is opaque and shows an object on a background of one colour."""
    if alpha.amin() < 1:
        return False
    edges = torch.cat([image[:, [0, -1]].flatten(1, 2), image[:, :, [0, -1]].flatten(1, 2)], 1)
    background = edges.mean((0, 1))
    return bool(
        (edges - background).abs().amax() < MAX_PLAIN_DIFFERENCE
        and (image - background).abs().amax() > MIN_OBJECT_DIFFERENCE
    )


def _in_range(values: torch.Tensor, where: str, notes: list[str]) -> torch.Tensor:
    values = values.float()
    low, high = (limit.item() for limit in values.aminmax())  # NaN if there is any
    if not (math.isfinite(low) and math.isfinite(high)):
        raise CollageError(f"{where}: {_describe_bad(values, values.isfinite())}")
    if low < -RANGE_TOLERANCE or high > 1 + RANGE_TOLERANCE:
        what = where.rpartition(" ")[2]
        notes.append(f"{what} values from {low:.3g} to {high:.3g} were limited to 0 to 1")
    return values.clamp(0, 1) if low < 0 or high > 1 else values


def _describe_bad(values: torch.Tensor, finite: torch.Tensor) -> str:
    y, x = (~finite).nonzero()[0].tolist()[1:3]
    nan = int(values.isnan().sum())
    infinite = int(values.isinf().sum())
    counts = [f"{n} {name}" for n, name in ((nan, "NaN"), (infinite, "infinite")) if n]
    return (
        f"has {' and '.join(counts)} values, first at y={y} x={x}. "
        "Repair or replace the node that made it."
    )


def mask_batch(mask: torch.Tensor, where: str, example: str = "LoadImage's") -> torch.Tensor:
    """MASK [H, W], [B, H, W] or [B, 1, H, W], which the host's nodes take too -> [B, H, W]."""
    if mask.ndim == 4 and mask.shape[1] == 1:
        mask = mask.squeeze(1)
    elif mask.ndim == 2:
        mask = mask.unsqueeze(0)
    if mask.ndim != 3 or 0 in mask.shape:
        raise CollageError(
            f"{where}: has the shape {list(mask.shape)}, but must be [height, width] or "
            f"[batch, height, width]. Connect a MASK such as {example}."
        )
    return mask


def _polarity_note(alpha: torch.Tensor, opaque: torch.Tensor, polarity: Polarity) -> str | None:
    """A note if the mask looks inverted; alpha and opaque: [B, H, W].

    The mask is used all the same, because frames and pictures with a hole look like that too.
    """
    turn, empty_value = polarity.turn, polarity.transparent
    content, kept = torch.broadcast_tensors(alpha >= VISIBLE_ALPHA, opaque >= VISIBLE_ALPHA)
    empty = 1 - (content & kept).float().mean().item()
    if not kept.any():
        told = f"the mask is {empty_value} everywhere, and {empty_value} is transparent: {turn}"
        return told if content.any() else None
    removed_content = (content & ~kept).sum() / content.sum().clamp(min=1)
    removed_rest = (~content & ~kept).sum() / (~content).sum().clamp(min=1)
    if removed_content > 0.75 and removed_rest < 0.25 and not content.all():
        return f"the mask takes out what the image's own fourth channel shows: {turn}"
    if empty > 0.99 and polarity.transparent:  # segmenters find small things in large pictures
        return f"the mask looks inverted: {empty:.1%} of the layer is empty; {turn}"
    edges = torch.cat([kept[:, [0, -1]].flatten(), kept[:, :, [0, -1]].flatten()])
    removed, at_edges = 1 - kept.float().mean().item(), 1 - edges.float().mean().item()
    if removed > MIN_HOLE_SHARE and at_edges < min(0.4, removed / 2):
        return f"the mask keeps the edges of the image and takes out {removed:.0%} inside: {turn}"
    return None


def _opacity(
    mask: torch.Tensor, image: torch.Tensor, where: str, polarity: Polarity, notes: list[str]
) -> torch.Tensor:
    """A mask of this polarity -> alpha [B, H, W] of the size of an image."""
    mask = mask_batch(mask, where)
    mask = _in_range(mask, where, notes).to(image.device)
    size, wanted = mask.shape[1:], image.shape[1:3]
    if polarity.transparent and size == (64, 64) != wanted and not mask.any():
        notes.append("the file has no transparency: taken as opaque")
        return mask.new_ones(1, *wanted)
    mask = polarity.alpha(mask)
    if size == wanted:
        return mask
    notes.append(
        f"the mask of {size[1]} x {size[0]} pixels was stretched to the image's "
        f"{wanted[1]} x {wanted[0]}"
    )
    return F.interpolate(mask.unsqueeze(1), wanted, mode="bilinear", antialias=True).squeeze(1)


def given_out(tensor: torch.Tensor) -> torch.Tensor:
    """The same values for other nodes; writing into them leaves the original unchanged.

    The memory is shared until someone writes, which saves gigabytes for the masks of a large
    canvas. It is torch's own copy on write, which also sees writes through numpy and pointers.
    """
    lazy = getattr(torch, "_lazy_clone", None)
    if lazy is None or tensor.device.type not in LAZY_DEVICES or not tensor.is_contiguous():
        return tensor.clone()
    return lazy(tensor)
