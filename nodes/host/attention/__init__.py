"""The attention bias inside ComfyUI's models.

Modules
    tokens           where the words of each layer stand among the tokens
    conditioning     the bias travels in the conditioning it is meant for
    before_sampling  what is looked at once, before a patched model is sampled
    patch            blocks are taken over for the length of one model call
    block            cross-attention of one block with the bias
    override         whether another pack's attention takes the bias
    run_tensors      what a run needs on its devices, made once
    replay           a finished picture once more, to see where its words act
"""
