"""`run.py bench compositing`: flattening a collage, against plain Pillow.

Modules
    command  the command line, and 20 layers on one canvas
    canvas   all that happens to a large canvas
"""

from .command import main

__all__ = ["main"]
