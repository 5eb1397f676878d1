"""Programs for whoever works on the pack: what they say is about ComfyUI, or about a GPU."""
