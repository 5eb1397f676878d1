"""What stands behind run.py: a private ComfyUI, its server, and the commands that use them.

Standard library only, because it runs before anything is installed. The one exception is
`side_by_side`, which is executed by the host's own Python.
"""
