"""Programs that run.py starts with ComfyUI's Python.

Modules
    convert_embedding  `convert-embedding`: a pickled embedding as safetensors
    canary             `canary`: what this ComfyUI lacks of what the pack uses
    batch              `batch`: a table of jobs on many ComfyUIs
    host_symbols       the names of ComfyUI that nodes/host lists
"""
