"""The frozen data that determine a picture, and what follows from them.

Modules
    collage         Layer, Embedding, Edit and Collage, validated when made
    stack           a Collage built step by step
    placement       where a layer lands on the canvas
    compositing     the flattened picture and each layer's visible alpha
    cutouts         layers one by one: pixels, masks and boxes
    box             a part of the canvas, for those who sample a crop
    batch_pictures  which picture of a collage each latent of a batch is
    same_collage    what differs between two collages
    layer_choice    naming a layer in a widget
    chosen_layers   which layers a text field names
    auto_tune       starting values from each layer's share of the canvas
    report          what a stack tells its user
"""
