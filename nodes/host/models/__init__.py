"""What ComfyUI's model objects are asked.

Modules
    unet                  which models can be steered, and their blocks
    text_encoder          whether a CLIP was made for a model
    embeddings_in_memory  embedding:NAME read from memory instead of from files
    latents               latents to start from; whether model, VAE and canvas go together
    batch_rows            which picture every row of a model call is
    made_of               which collage a conditioning was made of
"""
