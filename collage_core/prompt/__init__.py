"""Prompts as strings: where phrases stand, and what ComfyUI reads into them.

Modules
    weighted_text  ComfyUI's prompt language: tokens, weights, names of embeddings
    words          a prompt as words, as phrases are matched with it
    phrases        where the words of each layer stand in the scene prompt
    insertion      embedding:NAME put before them
    pieces         the prompt cut for tokenising, each piece of known layers
    foreign_signs  signs of other programs that mean nothing to ComfyUI
"""
