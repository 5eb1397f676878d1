"""Collage Diffusion: layer-based pictures for ComfyUI."""

from .nodes import comfy_entrypoint

__all__ = ["comfy_entrypoint"]
