"""`run.py bench checkpoints`: the examples with an SD1.5 of full architecture.

Modules
    command            the command line, and the servers
    random_checkpoint  a checkpoint and a ControlNet with random weights, as files
"""

from .command import main

__all__ = ["main"]
