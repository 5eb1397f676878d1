"""Training of the demo model, from nothing but the painted world, in resumable stages.

    python3 run.py train                 every stage that is not finished yet
    python3 run.py train --stage NAME    one stage: scenes, autoencoder, latents, diffusion, ...
    python3 run.py train --stage unpack  start from the shipped weights instead of from nothing
    python3 run.py train --stage control the structure network for edges beside those weights

Everything lies in `~/.cache/collage-diffusion/train`; a killed run resumes where it stopped, from
any checkout.

Modules
    workshop      where states and the log lie
    scenes        stage 0: rendered scenes, kept on disk
    autoencoder   stage 1
    latents       stage 2: cached latents, captions and labels
    diffusion     stage 3: text encoder and UNet together
    painter       both networks of stage 3
    flow          another painter on the same latents: a transformer
    teacher       the first painter's predictions for the transformer to learn
    inside        losses of stage 3 that use what the world knows
    muon          the optimiser of weight matrices
    initial       random starts
    packing       weights to ship
    sheet         pictures of unseen captions
    pairs         pictures and edges for the structure network
    control       the structure network
    judge         the recogniser of kinds and colours
    patterns      its eye for patterns
    harmony       the recogniser of pasted objects
    lora          a look for a toy, as a LoRA
    looks         the recogniser of these looks
"""

import comfy.cli_args
import torch

# ComfyUI looks for a GPU when its modules are imported
comfy.cli_args.args.cpu = not torch.cuda.is_available()
