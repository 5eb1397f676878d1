"""The one place that touches ComfyUI's insides; last checked with ComfyUI 0.30.0.

Rooms
    attention   the attention bias inside ComfyUI's models
    loras       a LoRA per layer, in one pass of ComfyUI's models
    models      questions to ComfyUI's model objects
    sampling    ComfyUI's samplers, with noise per cell
    control     structure control per layer on ComfyUI's networks
    inversion   a layer's look learned on ComfyUI's models
    files       what ComfyUI says of files and of the queued graph
    demo_model  the small model that ships with the pack
    limits      time until the user stops a run, and the memory that is free

Each file lists what it relies on at the end of its docstring, under a line "Host symbols:", one
object a line, indented by four spaces: a dotted name, then its members after a colon. A longer
line goes on below, indented twice.

    comfy.samplers.KSAMPLER(sampler_function): extra_options, "disable"
    comfy.samplers.CFGGuider(model_patcher): inner_model, inner_set_conds(conds),
        sample(noise, latent_image, sampler, sigmas, *, callback, seed)

Parameters before `*` are passed by place, those after it by name, all others are left out; without
parentheses only the name counts. A word in quotes is a key or name that the object's source has to
mention. `tests/host/test_host_symbols.py` looks all of it up, `run.py canary` in any ComfyUI.
"""
