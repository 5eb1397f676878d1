"""How far every place is redrawn, and with which noise.

Modules
    noise_map  the noise of every pixel of a collage, with halos and edits
    release    when a latent cell is set free
    seeds      a seed of its own for a layer
    plan       how a run samples: seeds, steps, re-noising of kept cells
    original   what an unfinished latent was begun with
"""
