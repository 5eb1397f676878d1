"""Words act where their layers are seen (paper, section 4).

Modules
    bias          the bias of cross-attention by visible masks
    spans         where each layer's words stand among the tokens
    maps          where words acted, and how much leaked, with its report
    report        the report of the attention patch
    lora_weights  how strongly each layer's LoRAs act on every cell and word
"""
