"""Structure control per layer on ComfyUI's networks.

Modules
    conditioning      what a network is shown, and how it gets into a conditioning
    regional_control  a network whose outputs are weighed by the layers' control
    checks            whether a network was made for the model
"""
