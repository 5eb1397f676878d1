"""Whether a CLIP is one whose words this pack can place, and made for a MODEL.

Host symbols:
    comfy.sd.CLIP: tokenize(text)
"""

from __future__ import annotations

from ....collage_core.errors import CollageError

ENCODERS = ("l", "g", "h")  # CLIP-L of SD1.x and SDXL, CLIP-G of SDXL, OpenCLIP-H of SD2.x


def encoders_of(clip, node: str) -> tuple[str, ...]:
    """The keys of the CLIP's text encoders, sorted; CollageError for other families."""
    found = tuple(sorted(clip.tokenize("")))
    if not set(found) <= set(ENCODERS):
        raise other_family(found, node)
    return found


def other_family(encoders: tuple[str, ...], node: str) -> CollageError:
    return CollageError(
        f"{node}, input clip: a text encoder of {', '.join(encoders)} is not one of "
        "SD1.x, SD2.x or SDXL. Connect the CLIP of such a model."
    )


def check_width(found: int, wanted: int, node: str) -> None:
    """CollageError unless a CLIP gives as many numbers per token as the MODEL takes."""
    if found != wanted:
        raise CollageError(
            f"{node}, input clip: it gives {found} numbers per token, and the model takes "
            f"{wanted}. Connect the CLIP that was made for this model."
        )
