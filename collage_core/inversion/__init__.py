"""Textual inversion of one layer: vectors are learned with which a model paints this object.

Modules
    settings  what the presets of LayerTextualInversion mean
    views     the training pictures: the layer on six backgrounds
    prompts   the sentences that the vectors are trained in
    loss      the loss of a prediction, and seeded random numbers
    descent   where the vectors start, and the optimizers that move them
    progress  losses, the best vectors, early stopping and speed
    outcome   the report and the loss curve of a finished training
"""
