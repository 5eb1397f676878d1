"""Continue from a finished picture: some layers are redrawn, everything else is kept.

The starting picture is the finished one everywhere. On request the chosen layers' own pixels are
pasted over it, which a layer needs that was added or changed since. With the previous collage,
the chosen layers are also removed from where they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from ..collage.collage import BACKGROUND, Collage, Edit
from ..collage.cutouts import paste_layers
from ..collage.layer_names import chosen_layers, layer_name
from ..collage.report import percent
from ..errors import CollageError, quoted
from ..imaging.filters import gaussian_blur
from ..noise.noise_map import collage_noise
from ..prompt.checks import foreign_signs
from .counterparts import counterparts
from .paste_back import changeable
from .rephrase import rephrase
from .request import Choice, EditRequest
from .result_picture import result_picture
from .split import remove_layers


def edit(
    collage: Collage, image: torch.Tensor, request: EditRequest
) -> tuple[Collage, torch.Tensor, str]:
    """The edited collage of a finished picture [B, H, W, 3], its noise [B, 1, H, W] and a report.

    Its composite is the picture. The layers that `request` names get the request's noise, all
    other layers and the background get none. Raises CollageError for a request that cannot be
    met or that would change nothing.
    """
    chosen = chosen_layers(collage, request.layers, request.node)
    same = {} if request.previous is None else counterparts(collage, request.previous)
    removed = tuple(sorted(same[number] for number in chosen if number in same))
    pasted = chosen if request.paste else ()
    choice = Choice(chosen=chosen, pasted=pasted, removed=removed)
    notes = ()
    if request.previous is not None and not removed:
        notes = ("no layer of `before` is clearly one of these: nothing was taken away",)
    return edit_layers(collage, image, request, choice, notes)


def edit_layers(
    collage: Collage,
    image: torch.Tensor,
    request: EditRequest,
    choice: Choice,
    notes: Sequence[str] = (),
) -> tuple[Collage, torch.Tensor, str]:
    """`edit` for layers that are known by their numbers; `paste` is not read, nor are names."""
    picture, more = result_picture(image, collage, request.node)
    state = _state(collage, picture, request, choice)
    layers = tuple(
        replace(layer, noise=request.noise if number in choice.chosen else 0.0)
        for number, layer in enumerate(collage.layers, 1)
    )
    edited = replace(collage, layers=layers, edit=state)
    if phrase := request.phrase.strip():
        edited = rephrase(edited, _only(choice.chosen, request), phrase, request.node)
        notes = (*notes, *foreign_signs(request.phrase), *_of_old_words(collage, edited))
    notes = (*more, *notes, *_blend_notes(collage, request, choice))
    noise = collage_noise(edited, state.base_noise, state.feather)
    _check_change(noise, request)
    return edited, noise, "\n".join(_report(edited, noise, request, choice, notes))


def _state(
    collage: Collage,
    picture: torch.Tensor,
    request: EditRequest,
    choice: Choice,
) -> Edit:
    """The picture to start from, and the noise that the layers alone do not say."""
    minimum = None
    if request.previous is not None and choice.removed:
        _check_previous(request.previous, collage, len(picture), request.node)
        picture, uncovered = remove_layers(request.previous, picture, choice.removed)
        minimum = gaussian_blur(request.noise * uncovered.clamp(max=1), request.feather)
    if choice.pasted:
        picture = paste_layers(picture, collage, choice.pasted)
    return Edit(
        picture=picture,
        base_noise=request.noise if BACKGROUND in choice.chosen else 0.0,
        feather=request.feather,
        minimum_noise=minimum,
    )


def _check_previous(previous: Collage, collage: Collage, pictures: int, node: str) -> None:
    size, wanted = (previous.width, previous.height), (collage.width, collage.height)
    if size != wanted:
        raise CollageError(
            f"{node}, input before: its canvas of {size[0]} x {size[1]} pixels is not the "
            f"{wanted[0]} x {wanted[1]} of the collage. Connect the collage that the picture was "
            "made of."
        )
    batch = len(previous.composite.visible_alpha)
    if batch not in (1, pictures):
        raise CollageError(
            f"{node}, input before: a collage of {batch} pictures does not fit {pictures} finished "
            "ones. Connect the collage that the picture was made of."
        )


def _only(chosen: Sequence[int], request: EditRequest) -> int:
    """The number of the one layer that gets the new phrase."""
    phrase = quoted(request.phrase)
    if len(chosen) > 1:
        raise CollageError(
            f"{request.node}, input phrase: {phrase} can be the words of one layer, and input "
            f"layers names {len(chosen)}: {quoted(request.layers)}. Name one, or leave phrase "
            "empty."
        )
    if chosen[0] == BACKGROUND:
        raise CollageError(
            f"{request.node}, input phrase: {phrase} cannot be the words of the background, "
            "which has none of its own. Leave phrase empty, and change the prompt of CollageStack."
        )
    return chosen[0]


def _of_old_words(collage: Collage, edited: Collage) -> Iterator[str]:
    """What was made for the words that a phrase has replaced: what was dropped, what stays."""
    for number, (old, new) in enumerate(zip(collage.layers, edited.layers, strict=True), 1):
        if old.text == new.text:
            continue
        if old.embedding is not None:
            name = quoted(old.embedding.name)
            yield f"the embedding {name} was dropped with the words it stood for"
        for lora in new.loras:
            yield f"{layer_name(edited, number)} keeps its LoRA {quoted(lora.name)}"
        if new.negative:
            yield f"{layer_name(edited, number)} must still not show {quoted(new.negative)}"


def _blend_notes(collage: Collage, request: EditRequest, choice: Choice) -> Iterator[str]:
    """What cannot be told apart in a picture in which a layer is mixed with what lies below it."""
    for number, layer in collage.numbered if not choice.removed else ():
        if number in choice.pasted and layer.blends:
            yield (
                f"{layer_name(collage, number)} was mixed into the picture ({layer.blend}): if the "
                "picture shows it already, connect the collage it was made of to `before`"
            )
    previous, removed = request.previous, choice.removed
    if previous is None or not removed:
        return
    for number, layer in previous.numbered:
        hides = previous.composite.hidden_by[:, previous.index_of(number)]
        if (
            layer.blends
            and number not in removed
            and any(hides[previous.index_of(n)] > 0 for n in removed)
        ):
            yield (
                f"{layer_name(previous, number)} of `before` ({layer.blend}) lies over what was "
                "taken away: its colours there still show it. Name it too"
            )


def _check_change(noise: torch.Tensor, request: EditRequest) -> None:
    if request.noise == 0:
        raise CollageError(
            f"{request.node}, input noise: at 0 every layer is kept and nothing would be redrawn. "
            "Enter more, up to 1 to draw the layers from nothing."
        )
    if not changeable(noise).any():
        raise CollageError(
            f"{request.node}, input feather: noise {request.noise:g} over "
            f"{quoted(request.layers)}, spread by {request.feather:g} pixels, leaves no latent "
            "cell enough to change. Lower feather or raise noise."
        )


def _report(
    edited: Collage,
    noise: torch.Tensor,
    request: EditRequest,
    choice: Choice,
    notes: Sequence[str],
) -> list[str]:
    """Lines: which layers are redrawn, how far, and how much of the canvas may change."""
    share = percent(changeable(noise).float().mean().item())
    lines = [
        f"Goes on from the finished picture: {share} of the canvas may change, the rest is kept."
    ]
    for number in choice.chosen:
        pasted = ", pasted over the picture from its own pixels" if number in choice.pasted else ""
        name, visible = layer_name(edited, number), edited.visible_part(number).mean().item()
        lines.append(
            f"{name[0].upper()}{name[1:]}: noise {request.noise:g}, visible on "
            f"{percent(visible)} of the canvas{pasted}"
        )
    if choice.removed:
        numbers = ", ".join(map(str, choice.removed))
        lines.append(f"Taken away from where it was in the picture: layer {numbers}")
    return [*lines, *(f"! {note}" for note in notes)]
