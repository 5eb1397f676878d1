"""Bento boxes, seen from straight above.

Modules
    arrangement  the story: a box, its compartments, what lies in them, and the caption
    foods        the foods, each filling a compartment
    filling      parts of a food, where they go, and grainy surfaces
    sushi        nigiri and maki
"""
