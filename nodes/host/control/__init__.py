"""Structure control per layer on ComfyUI's networks.

Modules
    edges             the edges of a picture, as ComfyUI's Canny node finds them
    checks            whether a network was made for the model
    conditioning      a network in a CONDITIONING
    regional_control  a network whose outputs count as far as layers say
"""
