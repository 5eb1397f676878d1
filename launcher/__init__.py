"""What stands behind run.py: a private ComfyUI, its server, and the commands that use them.

Standard library only, because it runs before anything is installed; so are `whole_file` and
`file_lock` of collage_core. The one exception is `side_by_side`, which the host's own Python runs.
"""
