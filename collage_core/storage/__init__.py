"""What lies in files.

Modules
    atomic_write    files that are there whole or not at all
    file_lock       a lock between processes
    content_key     a name for everything that determines a result
    tensor_file     the safetensors format on bytes
    embedding_file  learned embeddings in the forms that common tools share
    training_state  an interrupted training as bytes
"""
