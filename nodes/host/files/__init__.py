"""What ComfyUI says of files and of the queued graph.

Modules
    embedding_files  the embeddings that prompts can name
    input_files      files of the input folder, by names of strangers
    input_pictures   pictures that a collage document names, read and kept
    loaded_pictures  whether the files behind a picture are whole
    output_files     files written for the user
    queued_graph     what stands before and after the node that runs
"""
