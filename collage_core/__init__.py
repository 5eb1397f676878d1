"""The mathematics of Collage Diffusion, in torch, einops and the standard library.

The room storage imports safetensors and filelock too.

Paper: Sarukkai et al., "Collage Diffusion", WACV 2024, arXiv 2303.00262.

Rooms, bottom to top
    errors        CollageError, the one exception a user can cause
    interruption  where long loops ask whether the user has stopped the run
    imaging       pictures as tensors; knows no collage
    prompt        prompts as strings: where phrases stand, and what ComfyUI reads into them
    storage       what lies in files
    files         collages as files: the document of CollageEditor; knows no torch
    collage       the frozen data that determine a picture, and what follows from them
    attention     words act where their layers are seen (paper, section 4)
    control       how much structure control counts at every place
    noise         how far every place is redrawn, and with which noise
    inversion     textual inversion of one layer
    editing       a finished picture to go on from

Dimension letters: B batch, L layers, H and W canvas pixels or latent cells, C channels.
Colour and alpha lie in [0, 1], alpha is straight and 1 is opaque. Layers run bottom to top.
Positions are fractions of the canvas, blur is in canvas pixels, rotation is in degrees
counter-clockwise, noise is a fraction of the full noise schedule.
"""
