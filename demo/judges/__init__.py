"""Recognisers of the painted world. Nothing is trained against them; they only measure.

Modules
    judge    kind and colour of what is seen in every cell of a picture
    looks    which of the looks of LoRAs every cell of an object has
    harmony  whether an object looks pasted
"""
