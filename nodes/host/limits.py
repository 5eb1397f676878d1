"""What a run may take: time until the user stops it.

Host symbols:
    comfy.model_management.throw_exception_if_processing_interrupted()
"""

from __future__ import annotations

import comfy.model_management

ends_when_interrupted = comfy.model_management.throw_exception_if_processing_interrupted
