"""What the pack costs on this machine: time and memory, for `python3 run.py bench NAME`.

Modules
    attention    masked cross-attention on SD1.5 and SDXL at full size
    lora         LoRAs of layers beside ComfyUI's LoRA hooks
    inversion    learning a layer's look, method by method
    samplers     every sampler of ComfyUI on one collage
    compositing  20 layers of 1024 x 1024 on one canvas, and large canvases
    checkpoints  the examples for real models, with random weights
    editor       dragging on the canvas of Collage Editor, in a real browser
    queue        many prompts through ComfyUI's HTTP interface
    batch        a table of jobs: what it costs beside the painting, what it survives
    world        painting a scene of the painted world
"""
