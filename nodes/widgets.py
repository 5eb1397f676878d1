"""Widgets that several nodes share, so that they look and work the same everywhere."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..collage_core.noise.seeds import LARGEST_SEED

MAX_EDGE_PIXELS = 512.0  # of a feather or a halo
SLIDER = io.NumberDisplay.slider  # for ranges of which most is useful, unlike 0 to 10


def seed_widget(tooltip: str, *, control: bool, **options: Any) -> io.Int.Input:
    """A seed for every sampler; with `control` the page offers to change it after every run."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=LARGEST_SEED,
        step=1,
        control_after_generate=control,
        tooltip=tooltip,
        **options,
    )


def scene_widget(placeholder: str, tooltip: str) -> io.String.Input:
    """The sentence for the whole scene."""
    return io.String.Input(
        "prompt",
        multiline=True,
        default="",
        placeholder=placeholder,
        dynamic_prompts=True,
        tooltip=tooltip,
    )


def share_widget(
    name: str, default: float, tooltip: str, *, high: float = 1.0, **options: Any
) -> io.Float.Input:
    """A share or strength from 0 to `high` in hundredths."""
    return io.Float.Input(
        name,
        default=default,
        min=0.0,
        max=high,
        step=0.01,
        round=0.001,
        tooltip=tooltip,
        **options,
    )


def feather_widget(tooltip: str, **options: Any) -> io.Float.Input:
    """The softness of an edge in pixels of the canvas."""
    return io.Float.Input(
        "feather",
        default=10.0,
        min=0.0,
        max=MAX_EDGE_PIXELS,
        step=1.0,
        round=0.1,
        tooltip=tooltip,
        **options,
    )


def halo_widget(tooltip: str) -> io.Int.Input:
    """How far noise reaches around a layer, in pixels of the canvas; optional, as it came later."""
    return io.Int.Input(
        "halo",
        default=0,
        min=0,
        max=int(MAX_EDGE_PIXELS),
        step=1,
        optional=True,
        advanced=True,
        tooltip=tooltip,
    )
