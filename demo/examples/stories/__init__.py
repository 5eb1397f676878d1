"""The examples: a scene of the painted world as layers, and the workflow that paints it.

Modules
    bento_box       things in a bento box, each with a noise of its own
    by_hand         the bento box and the toy box on the canvas
    steps           the same, one control after the other
    in_place        a toy box and a cake table: words in their places
    trade_off       the noise of one layer from low to high
    iterative_edit  one object after the other drawn again
    learned_look    an embedding learned from a layer
    layer_loras     a LoRA for each of three toys
    reference_pictures  IPAdapters of another pack, one for each toy
    kept_edges      structure control
    moved_object    taken apart, one object moved, painted whole again
    second_pass     painted again in a larger size
"""
