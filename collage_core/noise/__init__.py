"""How far every place is redrawn, and with which noise.

Modules
    noise_map   the noise of every pixel of a collage, and when a cell is set free
    halo        noise around a layer, for its shadow
    seeds       a seed of its own for a layer
    plan        seeds, steps and how kept cells are put under noise
    step_range  the steps that one of several samplers takes
    original    what an unfinished latent was begun with
"""
