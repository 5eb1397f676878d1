"""Collages as files, read strictly: strangers make them. No torch is imported here.

Modules
    fields    what each key of a collage document may hold
    document  the collage document: one JSON text for a whole collage
"""
