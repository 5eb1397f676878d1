"""Training of the demo model, from nothing but the painted world, in resumable stages.

    python3 run.py train                 every stage that is not finished yet
    python3 run.py train --stage NAME    one stage: scenes, autoencoder, latents, diffusion, ...
    python3 run.py train --stage unpack  start from the shipped weights instead of from nothing
    python3 run.py train --stage control the structure network for edges beside those weights

Everything lies in `~/.cache/collage-diffusion/train`; a killed run goes on where it stopped, from
whichever checkout it is started in.
"""

import comfy.cli_args
import torch

# the host looks for a GPU when its modules are imported
comfy.cli_args.args.cpu = not torch.cuda.is_available()
