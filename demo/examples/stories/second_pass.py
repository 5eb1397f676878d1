"""A bento box painted, enlarged, and painted again with each layer's noise lowered.

Words, masks, looks and strengths hold at the second size, where Collage Resize makes the same
collage. The demo model has seen one size: at a factor of 2, which suits checkpoints, it repeats
things.
"""

from __future__ import annotations

from ... import world
from ..graph import Graph, save_layers
from ..variants import DEMO, Variant
from . import bento_box

FACTOR = 1.5
SHARE = 0.5  # of every noise, for the second pass
AGAIN = {
    **bento_box.SAMPLING,
    "seed": 8,
    "base_noise": SHARE * bento_box.SAMPLING["base_noise"],
    "feather": FACTOR * bento_box.SAMPLING["feather"],
}


def graph(variant: Variant = DEMO) -> Graph:
    scene, made = world.scene(bento_box.SEED, "bento"), Graph(variant)
    model = made.model(2)
    noise = bento_box.noise(variant)
    layers = [
        made.layer(layer, file, noise[layer.kind])
        for layer, file in zip(scene.layers, save_layers(scene, "bento"), strict=True)
    ]
    stack = made.stack(2, scene.caption, layers)
    first = made.paint(3, model, stack, **bento_box.SAMPLING)
    made.save(5, stack[1], "collage_composite", "The collage")
    made.save(6, first[0], "collage_1_before", "The first pass")
    larger = made.add("ImageScaleBy", 6, image=first[0], upscale_method="lanczos", scale_by=FACTOR)
    latent = made.add("VAEEncode", 6, pixels=larger[0], vae=model[2])
    resized = made.add("CollageResize", 6, collage=stack[0], factor=FACTOR, noise=SHARE)
    second = made.paint(7, model, resized, latent_image=latent[0], **AGAIN)
    made.save(10, second[0], "collage_2_result", "The second pass")
    return made
