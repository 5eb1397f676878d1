"""The demo's own programs, in this process or in one of their own, on the CPU."""

from __future__ import annotations

import comfy.cli_args

comfy.cli_args.args.cpu = True  # decided before the first of ComfyUI's modules is imported
