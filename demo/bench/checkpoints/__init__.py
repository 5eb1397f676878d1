"""`run.py bench checkpoints`: the examples for real models, with random weights.

Modules
    command              the command line, and the servers
    random_checkpoint    SD1.5 and a ControlNet as files
    random_transformers  Flux, Z-Image and Qwen-Image as files
    shallow_encoders     text encoders of few blocks, on the measurement's server
"""

from .command import main

__all__ = ["main"]
