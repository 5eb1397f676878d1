"""What this pack asks of ComfyUI's model objects.

Modules
    families              the families of models: their UNet blocks and text encoders
    transformers          where picture and words stand in a transformer's attention
    embeddings_in_memory  embedding:NAME read from memory instead of from files
    latents               latents to start from; whether model, VAE and canvas go together
    batch_rows            the picture of the collage that every row of a model call is
    made_of               the collage that a conditioning was made of
"""
