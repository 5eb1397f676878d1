"""The mathematics of Collage Diffusion, in torch and the standard library only.

Paper: Sarukkai et al., "Collage Diffusion", WACV 2024, arXiv 2303.00262.

Modules
    errors           CollageError, the one exception a user can cause
    pixels           IMAGE and MASK as connected, made clean
    collage          Layer and Collage: frozen data, validated when made
    stack            a Collage built from a canvas, a background and layers
    placement        where a layer lands on the canvas
    compositing      the flattened picture and each layer's visible alpha
    words, phrases   where each layer's words stand in the scene prompt
    embedding_words  learned tokens before those words
    report           what a stack tells its user
    control          how much structure control counts at every place
    noise            per-layer noise map and the keep-or-free rule of every step
    collage_noise    the same for a whole collage, where an edit may have a say
    original         what an unfinished latent began with
    editing          a finished picture to go on from; chosen_layers, rephrasing, edit_report
    distance         how far it is to the edge of a region
    interruption     where long loops ask whether the user has stopped the run
    paste_back       the original, to the bit, wherever an edit could not change it
    given_out        tensors for other nodes, which may write into them
    layer_cuts       layers one by one: pixels, masks and boxes
    splitting        a finished picture as a collage again; filling for what was hidden
    result_picture   a finished picture beside its collage: sizes and batches

Dimension letters: B batch, L layers, H and W canvas pixels or latent cells, C channels.
Colour and alpha lie in [0, 1], alpha is straight and 1 is opaque. Layers run bottom to top.
Positions are fractions of the canvas, blur is in canvas pixels, rotation is in degrees
counter-clockwise, noise is a fraction of the full noise schedule.
"""
