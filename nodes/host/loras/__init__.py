"""A LoRA per layer, in one pass of ComfyUI's models.

Modules
    files     the LoRA files that ComfyUI lists
    adapters  from a file to what it changes in a model, or a refusal
    stacks    the adapters of one module: their weights, and what they add to its output
    places    how strongly each LoRA acts in every place of one model call
    calls     those places by the conditionings of the call
    patch     adapters act for the length of one model call
    loaded    the LoRAs of a collage on one model and its text encoder
    text      the words of a layer under the LoRAs of that layer
"""
