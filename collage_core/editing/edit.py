"""Going on from a finished picture: some layers are redrawn, everything else is kept.

The base is the finished picture everywhere. Only on request are the chosen layers' own pixels
pasted over it, as it takes for a layer that was added or changed since; and only where a collage
from before says where they were are they taken away from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ..collage.chosen_layers import chosen_layers
from ..collage.collage import Collage, Edit
from ..collage.cutouts import BACKGROUND, paste_layers
from ..collage.layer_choice import word_keys
from ..errors import CollageError, quoted
from ..imaging.blur import gaussian_blur
from ..noise.collage_noise import collage_noise
from ..prompt.foreign_signs import foreign_signs
from .paste_back import changeable
from .rephrase import rephrase
from .report import describe_edit
from .result_picture import result_picture
from .split import take_away

NODE = "CollageEdit"


@dataclass(frozen=True, kw_only=True, eq=False)
class Wish:
    """The inputs of CollageEdit beside collage and picture."""

    layers: str
    noise: float
    phrase: str = ""
    feather: float = 10.0
    paste: bool = False
    before: Collage | None = None


def edit(collage: Collage, image: torch.Tensor, wish: Wish) -> tuple[Collage, str]:
    """The collage as it goes on from its finished picture [B, H, W, 3], and a report.

    Its composite is the picture; the layers that `wish` names have its noise, all others and the
    background have none. Raises CollageError for what cannot be met and for what would change
    nothing.
    """
    chosen = chosen_layers(collage, wish.layers, NODE)
    picture, notes = result_picture(image, collage, NODE)
    taken, least = _former_numbers(wish.before, collage, chosen), None
    if wish.before is not None and taken:
        _check_before(wish.before, collage, len(picture))
        picture, left = take_away(wish.before, picture, taken)
        least = gaussian_blur(wish.noise * left.clamp(max=1), wish.feather)
    if wish.paste:
        picture = paste_layers(picture, collage, chosen)
    state = Edit(
        picture=picture,
        base_noise=wish.noise if BACKGROUND in chosen else 0.0,
        feather=wish.feather,
        least_noise=least,
    )
    layers = tuple(
        replace(layer, noise=wish.noise if number in chosen else 0.0)
        for number, layer in enumerate(collage.layers, 1)
    )
    edited = replace(collage, layers=layers, edit=state)
    if wish.phrase.strip():
        edited = rephrase(edited, _only(chosen, wish), wish.phrase.strip(), NODE)
        notes = (*notes, *foreign_signs(wish.phrase), *_forgotten(collage, edited))
    if wish.before is not None and not taken:
        notes = (*notes, "no layer of `before` is clearly one of these: nothing was taken away")
    _check_change(edited, wish)
    report = describe_edit(
        edited, chosen, noise=wish.noise, pasted=wish.paste, taken=taken, notes=notes
    )
    return edited, report


def _former_numbers(
    before: Collage | None, collage: Collage, chosen: Sequence[int]
) -> tuple[int, ...]:
    """Which shown layers of the collage from before the chosen ones are: same words, and the
    same number where there are several."""
    found: set[int] = set()
    for number in chosen:
        if before is None or number == BACKGROUND:
            continue
        words = word_keys(collage.layers[number - 1].text)
        same = [n for n, layer in before.numbered if word_keys(layer.text) == words]
        found.update([number] if number in same else same if len(same) == 1 else [])
    return tuple(sorted(found))


def _check_before(before: Collage, collage: Collage, pictures: int) -> None:
    size, wanted = (before.width, before.height), (collage.width, collage.height)
    if size != wanted:
        raise CollageError(
            f"{NODE}, input before: its canvas of {size[0]} x {size[1]} pixels is not the "
            f"{wanted[0]} x {wanted[1]} of the collage. Connect the collage that the picture was "
            "made of."
        )
    batch = len(before.composite.visible_alpha)
    if batch not in (1, pictures):
        raise CollageError(
            f"{NODE}, input before: a collage of {batch} pictures does not fit {pictures} finished "
            "ones. Connect the collage that the picture was made of."
        )


def _only(chosen: Sequence[int], wish: Wish) -> int:
    """The one layer that new words are for."""
    if len(chosen) > 1:
        raise CollageError(
            f"{NODE}, input phrase: {quoted(wish.phrase)} can be the words of one layer, and input "
            f"layers names {len(chosen)}: {quoted(wish.layers)}. Name one, or leave phrase empty."
        )
    if chosen[0] == BACKGROUND:
        raise CollageError(
            f"{NODE}, input phrase: {quoted(wish.phrase)} cannot be the words of the background, "
            "which has none of its own. Leave phrase empty, and change the prompt of CollageStack."
        )
    return chosen[0]


def _forgotten(collage: Collage, edited: Collage) -> list[str]:
    return [
        f"the learned look {quoted(old.embedding.name)} went with the words it belonged to"
        for old, new in zip(collage.layers, edited.layers, strict=True)
        if old.embedding is not None and new.embedding is None
    ]


def _check_change(edited: Collage, wish: Wish) -> None:
    if wish.noise == 0:
        raise CollageError(
            f"{NODE}, input noise: at 0 every layer is kept and nothing would be redrawn. Enter "
            "more, up to 1 to draw the layers from nothing."
        )
    if not changeable(collage_noise(edited, 0.0, 0.0)).any():
        raise CollageError(
            f"{NODE}, input feather: noise {wish.noise:g} over {quoted(wish.layers)}, spread by "
            f"{wish.feather:g} pixels, leaves no latent cell enough to change. Lower feather or "
            "raise noise."
        )
