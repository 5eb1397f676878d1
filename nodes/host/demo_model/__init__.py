"""The small model that ships with the pack.

Modules
    loader   its MODEL, CLIP and VAE
    control  its structure network
"""
