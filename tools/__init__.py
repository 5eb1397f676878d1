"""Programs that run.py starts with ComfyUI's Python.

Modules
    convert_embedding  `convert-embedding`: a pickled embedding as safetensors
    canary             `canary`: what this ComfyUI lacks of what the pack uses
    host_symbols       the names of ComfyUI that nodes/host lists
"""
