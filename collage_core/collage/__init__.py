"""The frozen data that determine a picture, and what follows from them.

Modules
    limits        ranges and choices of all that a collage holds, without torch
    layer         Layer and Embedding, validated when made
    collage       Collage and Edit; which picture of a batch is which
    stack         a Collage built step by step
    layered       ComfyUI's own LAYERS as layers
    frames        layers out of a batch of pictures with masks
    placement     where a layer lands on the canvas
    compositing   the flattened picture and each layer's visible alpha
    cutouts       layers one by one: pixels, masks and boxes
    box           a part of the canvas, for nodes that sample a crop
    same_collage  what differs between two collages
    layer_names   which layers a text field names
    one_layer     a layer in place of another, everything else as it is
    resize        the same collage on a canvas of another size
    auto_tune     starting values from each layer's share of the canvas
    report        the report of a stack
"""
