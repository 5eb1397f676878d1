"""The one place that touches ComfyUI's insides; last checked with ComfyUI 0.30.0.

Each file names the host symbols it relies on in its docstring.
"""
