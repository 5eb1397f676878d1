"""Toys on a table or on the floor, seen from the front.

Modules
    arrangement  the story: one to four toys before a wall, and the caption
    solids       ball, cube, cone, ring, star and cylinder, with their patterns
    figures      teddy bear, wood train and football
    room         the wall, and the table or floor before it
"""
