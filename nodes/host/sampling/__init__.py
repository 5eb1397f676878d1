"""ComfyUI's samplers, with noise per cell.

Modules
    ksampler      KSampler, run so that every cell gets its own noise
    denoise_mask  cells set free at their own step
    kept_cells    kept cells under noise, on models that would show them clean
    solver        the sampler function with other noise, and with kept cells under CFG++
    partial_run   runs in parts: resuming an unfinished latent
"""
