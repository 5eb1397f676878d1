"""Textual inversion of one layer: the words are found that make a model paint this very object.

settings: what a preset means. views: the pictures to learn from. sphere: how vectors move.
progress: when to stop and what was gained. prompts: the sentences the vectors stand in.
"""
