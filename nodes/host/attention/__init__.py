"""The attention bias inside ComfyUI's models.

Modules
    token_spans        the positions of each layer's words among the tokens
    prompt_embeddings  every embedding:NAME of a prompt is read, or refused
    tokens             the tokens of a text as ComfyUI's text encoders read it
    conditioning       the bias travels in the conditioning that it belongs to
    before_sampling    what is checked once before a patched model is sampled
    run_tensors      what a sampling run makes once
    patch              attention gets the bias for the length of one model call
    block              cross-attention of one UNet block with the bias
    joint              all attention of a transformer with the bias
    replay             a finished picture once more, to see where its words act
"""
