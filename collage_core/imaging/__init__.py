"""Pictures as tensors; knows no collage.

Modules
    pixels     IMAGE and MASK as connected, made clean colour and alpha
    blur       Gaussian blur of any width
    distance   how far it is to the edge of a region
    filling    values carried on smoothly into places where there are none
    heat_map   a share at every place as colours over a picture
    given_out  pictures that are copied only when someone writes into them
"""
