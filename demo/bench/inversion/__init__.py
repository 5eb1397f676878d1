"""`run.py bench inversion`: what learning a layer's look gains and costs.

Modules
    command  the command line, its methods, and the worker processes
    tables   runs as tables
"""

from .command import main

__all__ = ["main"]
