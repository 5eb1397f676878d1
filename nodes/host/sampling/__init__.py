"""ComfyUI's samplers, with noise per cell.

Modules
    ksampler      KSampler, run so that every cell gets its own noise
    denoise_mask  cells set free at their own step
    solver        the sampler function, given other noise
    fresh_noise   kept cells under fresh noise at every step
    cfg_pp        kept cells for the samplers of CFG++
    partial_run   runs in parts: what was begun, what goes on
"""
