"""Cakes on a table in a festive room, seen from the front.

Modules
    arrangement  the story: room, table and cakes, and the caption
    cakes        cakes on stands
    furniture    bookshelves, chairs and the table
"""
