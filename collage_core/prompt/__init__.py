"""Prompts as strings: where phrases stand, and how ComfyUI reads them.

Modules
    syntax     the one reader of ComfyUI's prompt language: literals, weights, embeddings, words
    checks     prompts that ComfyUI cannot read, and signs that it reads as words
    phrases    where the words of each layer stand in the scene prompt
    insertion  embedding:NAME put before them
    negatives  the prompt of what must not be shown, with the words of each layer
    parts      what stands between commas, as texts of layers
    pieces     the prompt cut for tokenising, each piece of known layers
    prefixes   the tokens of a phrase where a tokenizer needs the whole prompt
"""
