"""`run.py bench attention`: masked cross-attention beside other ways to the same result.

Modules
    command    the command line, and what is written
    full_size  SD1.5, SDXL and a short Flux with random weights
    scene      latents, conditioning, and the ways to bind phrases to regions
    rivals     the paper's loop, and the low-rank fold
    one_call   a call of a whole model, measured
    blocks     cross-attention alone at every shape of a model
    joint      transformers: one attention at their shapes, and a short Flux
    tables     measurements as text
"""

from .command import main

__all__ = ["main"]
