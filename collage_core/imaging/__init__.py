"""Pictures as tensors; knows no collage.

Modules
    pixels    IMAGE and MASK as connected, made clean colour and alpha; and tensors given out
    resample  pictures in another size
    blending  how a picture's colours mix with what lies below it
    filters   blur, dilation, distance to an edge, filling of gaps
    colour    colours read from a text, of heat, and heat maps over a picture
    lettering lines of text in any script, drawn with Pillow
"""
