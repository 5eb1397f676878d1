"""What a collage and its layers may hold, for readers that have no torch."""

from __future__ import annotations

MAX_LAYERS = 64
CELL = 8  # canvas pixels per latent cell
CANVAS = (64, 8192)  # smallest and largest side in pixels, a multiple of CELL

FITS = ("pixels", "contain", "cover")
FLIPS = ("none", "horizontal", "vertical", "both")
BLENDS = (
    "normal", "multiply", "screen", "overlay", "soft light", "darken", "lighten", "add",
)  # fmt: skip
UNFLIPPED, NORMAL = FLIPS[0], BLENDS[0]

# input name -> what a layer offers to choose from; the first is the default
LAYER_OPTIONS = {"fit": FITS, "flip": FLIPS, "blend": BLENDS}

# input name -> (smallest, largest) value a layer accepts
LAYER_RANGES = {
    "x": (-4.0, 5.0),
    "y": (-4.0, 5.0),
    "scale": (0.001, 100.0),
    "rotation": (-360000.0, 360000.0),
    "opacity": (0.0, 1.0),
    "noise": (0.0, 1.0),
    "attract": (0.0, 10.0),
    "repel": (0.0, 10.0),
    "control": (0.0, 2.0),
}
