"""A finished picture to continue from.

Modules
    edit            some layers are redrawn, everything else is kept; its report
    counterparts    which layer of one collage is which layer of an earlier one
    rephrase        other words for a layer, in its text and in the prompt
    request         what an edit is asked to do
    split           a finished picture taken apart into the layers of its collage
    result_picture  a finished picture beside its collage: sizes and batches
    paste_back      the original, to the bit, wherever an edit could not change it
"""
