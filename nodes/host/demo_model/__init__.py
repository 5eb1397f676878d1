"""The small model that ships with the pack, as ComfyUI's objects.

Modules
    loader     all parts of the model together, and the structure network
    diffusion  MODEL: a UNet
    coders     CLIP and VAE
    weights    the files in demo/weights
"""
