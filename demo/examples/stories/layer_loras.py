"""Three toys painted without LoRAs, and in one pass with a LoRA for each."""

from __future__ import annotations

from ...world.looks import LOOKS, together
from ..graph import Graph, Node, save_layers

SEED = 7_900_402
NOISE, STRENGTH = 0.8, 1.5


def graph() -> Graph:
    scene, made = together(SEED), Graph()
    model = made.model(2)
    layers = [
        made.layer(layer, file, NOISE)
        for layer, file in zip(scene.layers, save_layers(scene, "loras"), strict=True)
    ]
    plain = made.stack(3, scene.caption, layers)
    kinds = [layer.kind for layer in scene.layers]
    given = [_with_lora(made, *pair) for pair in zip(layers, kinds, strict=True)]
    stack = made.stack(3, scene.caption, given)
    sampling = {"seed": 1, "steps": 30, "base_noise": NOISE, "feather": 4.0}
    without = made.paint(4, model, plain, **sampling)[0]
    result = made.paint(4, model, stack, **sampling)[0]
    made.save(7, plain[1], "collage_composite", "The collage")
    made.save(7, without, "collage_1_without", "Without LoRAs")
    made.save(7, result, "collage_2_result", "A LoRA for each toy, in one pass")
    return made


def _with_lora(made: Graph, layer: Node, kind: str) -> Node:
    if kind not in LOOKS:
        return layer
    file = f"demo_lora_{LOOKS[kind][0]}.safetensors"
    return made.add("CollageLayerLora", 2, layer=layer[0], lora_name=file, strength_model=STRENGTH)
