"""A layer's look learned on ComfyUI's models.

Modules
    task            which models a look can be learned with, and what identifies them
    run             a whole training: found, taken up again or begun, and kept
    trainer         a step at a time
    loss            losses and gradients of the copies
    batches         which view of the layer with which noise
    prompts         the sentences as tokens with places for the vectors
    memory          how much memory it takes, and how it gets by with less
    trainable_copy  copies of MODEL and CLIP to send gradients through
    module_copy     a module tree anew, without what the host hangs on it
    denoiser        the copied model, called as samplers call it
    store           trainings by content: found again, taken up again
"""
