"""A batch of pictures with masks, as segmenters and layer models give them, as layers.

Every picture is one layer, the first the lowest, and lies where it lies in its frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..errors import CollageError, quoted
from ..imaging.pixels import (
    OPAQUE_ALPHA,
    SEGMENTED,
    check_image,
    clean_pixels,
    mask_batch,
    seen_box,
)
from ..prompt.checks import check_prompt
from ..prompt.parts import prompt_parts
from .layer import Layer
from .limits import CELL

NODE = "CollageFromBatch"
MOST_LISTED = 8  # parts of a prompt in one message


@dataclass(frozen=True, kw_only=True, eq=False)
class Frames:
    """Layers out of a batch, what lies under them, and notes for the report.

    background: [1, height, width, 3 or 4], or None where nothing is known of it.
    """

    width: int
    height: int
    prompt: str
    layers: tuple[Layer, ...]
    background: torch.Tensor | None
    notes: tuple[str, ...]


def check_texts(texts: str | None, prompt: str | None) -> None:
    """Raise CollageError for texts that fit no batch; None is one that is not known yet."""
    check_prompt(prompt or "", f"{NODE}, input prompt")
    check_prompt(texts or "", f"{NODE}, input texts")
    _lines(texts or "")
    if texts is not None and prompt is not None and not texts.strip() and not prompt.strip():
        raise CollageError(
            f"{NODE}, input texts: it is empty, and so is the prompt. Write the words of each "
            "picture into texts, a line each, the lowest first."
        )


def read_frames(
    images: torch.Tensor, masks: torch.Tensor | None, texts: str, prompt: str
) -> Frames:
    """IMAGE [B, H, W, 3 or 4] and MASK, 1 = belongs to the layer -> layers with their words.

    The words are the lines of `texts` or, where it is empty, the parts of the prompt; an empty
    prompt is made of the texts. The canvas has the size of a frame, without a rim that is no whole
    latent cell. One picture with masks is a photo in which they were found: it is the background
    too. With one text less than there are pictures, the first one is the background, if it is
    opaque everywhere.

    Raises CollageError for counts that do not fit.
    """
    check_image(images, f"{NODE}, input images")
    if masks is not None:
        masks = mask_batch(masks, f"{NODE}, input masks", "a segmenter's")
    count = _count(images, masks)
    photo = masks is not None and len(images) == 1
    words, left_out = _words(texts, prompt, count, below=not photo)
    if left_out and not _covers(images, masks):
        raise CollageError(
            f"{NODE}, input {_source(texts)}: there are {len(words)} texts for {count} pictures, "
            "and the first picture has transparent places, so it is not the background. Write its "
            "words as the first line of texts."
        )
    cut, notes = _whole_cells(images)
    pairs = zip(range(left_out, count), words, strict=True)
    layers = tuple(_layer(images, masks, index, text, cut) for index, text in pairs)
    background = images[:1, cut[0], cut[1]] if photo or left_out else None
    if photo:
        notes = (*notes, "the background is the picture in which the masks lie")
    elif left_out:
        notes = (*notes, "the first picture is the background, as it has no words")
    rows, columns = cut
    return Frames(
        width=columns.stop - columns.start,
        height=rows.stop - rows.start,
        prompt=prompt if prompt.strip() else ", ".join(words),
        layers=layers,
        background=background,
        notes=notes,
    )


def _count(images: torch.Tensor, masks: torch.Tensor | None) -> int:
    masked = len(images) if masks is None else len(masks)
    counts = {len(images), masked}
    if len(counts - {1}) > 1:
        raise CollageError(
            f"{NODE}, input masks: {masked} masks do not fit {len(images)} pictures. Use "
            "one mask for each picture, or one picture with all masks."
        )
    return max(counts)


def _source(texts: str) -> str:
    return "texts" if texts.strip() else "prompt"


def _words(texts: str, prompt: str, count: int, *, below: bool) -> tuple[list[str], int]:
    """A text for every layer, and how many pictures at the bottom have none: 0 or, `below`, 1."""
    lines = _lines(texts)
    words = lines or prompt_parts(prompt)
    left_out = count - len(words)
    if words and (left_out == 0 or (left_out == 1 and below)):
        return words, left_out
    if lines:
        said = f"input texts: it has {len(lines)} lines for {count} pictures"
    else:
        listed = ", ".join(map(quoted, words[:MOST_LISTED])) or "no words"
        said = f"input texts: it is empty, and the prompt has {listed} for {count} pictures"
    raise CollageError(
        f"{NODE}, {said}. Write the words of each picture into texts, a line each, the lowest "
        "first."
    )


def _lines(texts: str) -> list[str]:
    lines = [line.strip() for line in texts.strip().splitlines()]
    if not all(lines):
        raise CollageError(
            f"{NODE}, input texts: line {lines.index('') + 1} is empty. Write the words of one "
            "picture in each line, the lowest first."
        )
    return lines


def _covers(images: torch.Tensor, masks: torch.Tensor | None) -> bool:
    """Whether the first picture is opaque in every pixel."""
    parts = [images[:1, ..., 3:], *(() if masks is None else [masks[:1]])]
    return all(part.amin() >= OPAQUE_ALPHA for part in parts if part.numel())


def _whole_cells(images: torch.Tensor) -> tuple[tuple[slice, slice], tuple[str, ...]]:
    """Rows and columns without the rim that ComfyUI's VAE would cut off, which it does evenly."""
    height, width = images.shape[1:3]
    if min(height, width) < CELL:
        raise CollageError(
            f"{NODE}, input images: frames of {width} x {height} pixels are smaller than one "
            f"latent cell of {CELL} x {CELL}. Use larger pictures."
        )
    rows, columns = (
        slice(n % CELL // 2, n % CELL // 2 + n // CELL * CELL) for n in (height, width)
    )
    if not (height % CELL or width % CELL):
        return (rows, columns), ()
    whole = f"{width // CELL * CELL} x {height // CELL * CELL}"
    note = f"the frames of {width} x {height} pixels were cut to {whole}, multiples of {CELL}"
    return (rows, columns), (note,)


def _layer(
    images: torch.Tensor,
    masks: torch.Tensor | None,
    index: int,
    text: str,
    cut: tuple[slice, slice],
) -> Layer:
    """One picture of the batch, what can be seen of it, at its place in the frame."""
    image = images[index % len(images)].unsqueeze(0)
    mask = None if masks is None else masks[index % len(masks)].unsqueeze(0)
    image, alpha, notes = clean_pixels(image, mask, NODE, "images", SEGMENTED)
    image, alpha = image[:, cut[0], cut[1]], alpha[:, cut[0], cut[1]]
    height, width = alpha.shape[1:]
    rows, columns = seen_box(alpha[0])
    if rows.start == rows.stop:  # nothing can be seen, as the report will say
        rows, columns = slice(0, height), slice(0, width)
    return Layer(
        image=image[:, rows, columns],
        alpha=alpha[:, rows, columns].clone(),  # a view would hold the whole frame in memory
        text=text,
        x=(columns.start + columns.stop) / 2 / width,
        y=(rows.start + rows.stop) / 2 / height,
        notes=notes,
    )
