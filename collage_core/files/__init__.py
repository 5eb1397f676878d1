"""Collages as files, read strictly: strangers make them. No torch is imported here.

Modules
    fields        what each key of a collage document may hold
    document      the collage document: one JSON text for a whole collage
    writing       documents as text, and the pictures that they name
    collage_file  the portable file: a document with its pictures
"""
