"""`python3 run.py evaluate`: what the demo model and the pack achieve, measured by the judge.

prompts: does the model paint what it is told? realism: how far are its pictures as a whole from
the world's own? placement: are objects where their layers are, by three ways of telling? sweep:
place, colour and harmony of several ways to spend the bias of words, on tuning collages; peers:
the same of other methods' ways beside the node's, on reported collages.
structure: are the edges of a collage kept, with the structure network and without?
harmony: fidelity against harmony, over the noise of one layer. edits: bytes that change outside of
an edit. Both compare with ComfyUI's DifferentialDiffusion. controls: plain harmonisation, and what
each control adds to it, beside the paper's claims; `levers` is its former name. negatives: does a
layer lose what it must not show, and do the others keep it? loras: does each layer get the look of
its LoRA, and its neighbours none of it? It stands beside LoRAs of the whole picture and ComfyUI's
LoRA hooks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from collage_core.attention.bias import DEFAULT_SCHEDULE, SCHEDULES
from launcher.arguments import at_least, fraction

from ..pack import ROOT
from . import (
    controls,
    edits,
    harmony,
    loras,
    negatives,
    placement,
    prompts,
    realism,
    spending,
    structure,
)
from .painter import DEFAULT_SAMPLER, Sampling, sampler_names

ROWS = {
    "prompts": prompts.run,
    "realism": realism.run,
    "placement": placement.run,
    "sweep": spending.sweep,
    "peers": spending.peers,
    "structure": structure.run,
    "harmony": harmony.run,
    "edits": edits.run,
    "controls": controls.run,
    "negatives": negatives.run,
    "loras": loras.run,
}
ALIASES = {"levers": "controls"}
# cross-attention, structure network, learned embeddings and LoRAs are the UNet's alone
UNET_ONLY = ("peers", "structure", "controls", "loras")


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py evaluate", description=__doc__)
    parser.add_argument(
        "rows", nargs="*", choices=[*ROWS, *ALIASES, []], help="default: prompts and placement"
    )
    parser.add_argument("--prompts", type=at_least(1), default=200, help="painted from noise")
    parser.add_argument("--pictures", type=at_least(2), default=500, help="of the row realism")
    parser.add_argument("--collages", type=at_least(1), default=40, help="of the other rows")
    parser.add_argument("--noise", type=fraction, default=0.8, help="noise of every layer")
    parser.add_argument("--steps", type=at_least(1), default=20)
    parser.add_argument("--cfg", type=float, default=4.0)
    parser.add_argument("--half", action="store_true", help="compute in bfloat16, to save time")
    parser.add_argument("--network", choices=("unet", "transformer"), default="unet")
    parser.add_argument("--schedule", choices=SCHEDULES, default=DEFAULT_SCHEDULE)
    parser.add_argument(
        "--sampler", choices=sampler_names(), default=DEFAULT_SAMPLER, metavar="NAME"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "output" / "evaluate")
    options = parser.parse_args()
    rows = [ALIASES.get(row, row) for row in options.rows or ("prompts", "placement")]
    if options.network != "unet" and (refused := [row for row in rows if row in UNET_ONLY]):
        parser.error(f"only the UNet has what {', '.join(refused)} needs: leave --network out")
    how = Sampling(
        options.steps,
        options.cfg,
        options.half,
        options.network,
        options.schedule,
        options.sampler,
    )
    common = (how, options.output)
    options.output.mkdir(parents=True, exist_ok=True)
    counts = {"prompts": options.prompts, "realism": options.pictures}
    with torch.inference_mode():
        for row in (row for row in ROWS if row in rows):
            if row in counts:
                ROWS[row](counts[row], *common)
            else:
                ROWS[row](options.collages, options.noise, *common)


if __name__ == "__main__":
    main()
