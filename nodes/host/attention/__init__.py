"""The attention bias inside ComfyUI's models.

Modules
    token_spans   the positions of each layer's words among the tokens
    conditioning  the bias travels in the conditioning that it belongs to
    patch         blocks get the bias for the length of one model call
    block         cross-attention of one block with the bias
    replay        a finished picture once more, to see where its words act
"""
