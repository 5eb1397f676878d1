"""Textual inversion of one layer on ComfyUI's models.

Modules
    task            what is learned with which models, and what identifies it
    run             a whole training: found, resumed or started, shown, and saved
    trainer         one step at a time
    loss            losses and gradients of the vectors
    batches         which view of the layer is noised how
    prompts         the sentences as tokens with placeholders
    memory          how much memory a training takes, and how it continues with less
    networks        trainable copies of the diffusion model and the text encoders
    trainable_copy  a copy of a shared model that gradients can pass through
    store           trainings by content: found again, resumed, published
"""
