"""Recognisers of the painted world. Nothing is trained against them; they only measure.

Modules
    judge    kind and colour of what is seen in every cell of a picture
    harmony  whether an object looks pasted
"""
