"""Collages as files, read strictly: strangers make them. No torch is imported here.

The modules of PSD files need numpy and, to read or write one, psd-tools.

Modules
    fields        what each key of a collage document may hold
    document      the collage document: one JSON text for a whole collage
    writing       documents as text, and the pictures that they name
    collage_file  the portable file: a document with its pictures
    psd           PSD files, read layer by layer
    psd_limits    what of them is refused before memory is taken
    psd_names     what their names mean: words, and blend modes
    psd_notes     what of a layer is shown in another way, in sentences
    psd_pixels    colours and alpha of one layer, with its masks
    psd_document  a PSD file as a collage document
    psd_export    PSD files written
"""
