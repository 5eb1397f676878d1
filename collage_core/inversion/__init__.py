"""Textual inversion of one layer: the tokens are found that make a model paint this very object.

Modules
    settings  what a preset of LayerTextualInversion means
    views     the pictures to learn from
    prompts   the sentences the vectors stand in
    start     where vectors start: at the words that name the object
    loss      how far a prediction is from the object, and which noise to ask with
    descent   how vectors move
    progress  the best vectors so far, and when to stop
    pace      how fast a training goes
    outcome   what a finished training has to say
    curve     its losses as a picture
"""
