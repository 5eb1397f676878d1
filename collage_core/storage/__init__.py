"""Files: how they are written, read, locked and named.

Modules
    atomic_write    files that are there completely or not at all
    file_lock       a lock between processes
    content_key     a hash of everything that determines a result
    tensor_file     tensors and training states as bytes of safetensors files
    embedding_file  learned embeddings in the forms that common tools share
"""
