"""The painted world, the demo model made from it, and all that is measured on both.

Only `architecture` and `weights` are used by the pack itself; everything else is for developers.

Rooms
    architecture  the shapes of the demo model's networks
    weights       the demo model that ships, and the log of its training
    world         bento boxes, toys and cake tables, painted with numpy
    train         training of the demo model
    judges        recognisers of the painted world, used only for measuring
    evaluate      quality: what the demo model and the pack achieve
    bench         cost: time and memory
    examples      example layers, workflows, and the pictures of the documents
    sheets        contact sheets
    plot          curves with error bars
    random_lora   a LoRA of random weights
    pack          the pack and ComfyUI in one process
"""
