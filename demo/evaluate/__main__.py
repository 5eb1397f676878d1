"""`python3 run.py evaluate`: what the demo model and the pack achieve, seen by the judge.

prompts: does the model paint what it is told? placement: are objects where their layers are, by
three ways of telling? sweep: placement for several attract and repel, on other collages.
structure: are the edges of a collage kept, with the structure network and without?
harmony: what the noise of one layer trades of its looks for fitting in, as a curve. edits: bytes
changed outside of an edit. The host's DifferentialDiffusion stands beside the pack in both.
levers: plain harmonisation and what each lever adds to it, beside what the paper claims.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from launcher.arguments import at_least, fraction

from ..pack import ROOT
from . import edits, harmony, levers, placement, prompts, structure

ROWS = ("prompts", "placement", "sweep", "structure", "harmony", "edits", "levers")


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py evaluate", description=__doc__)
    parser.add_argument(
        "rows", nargs="*", choices=[*ROWS, []], help="default: prompts and placement"
    )
    parser.add_argument("--prompts", type=at_least(1), default=200, help="painted from noise")
    parser.add_argument("--collages", type=at_least(1), default=40, help="of the other rows")
    parser.add_argument("--noise", type=fraction, default=0.8, help="noise of every layer")
    parser.add_argument("--steps", type=at_least(1), default=20)
    parser.add_argument("--cfg", type=float, default=4.0)
    parser.add_argument("--output", type=Path, default=ROOT / "output" / "evaluate")
    options = parser.parse_args()
    rows = options.rows or ROWS[:2]
    common = (options.steps, options.cfg, options.output)
    options.output.mkdir(parents=True, exist_ok=True)
    with torch.inference_mode():
        if "prompts" in rows:
            prompts.run(options.prompts, *common)
        if "placement" in rows:
            placement.run(options.collages, options.noise, *common)
        if "sweep" in rows:
            placement.sweep(options.collages, options.noise, *common)
        if "structure" in rows:
            structure.run(options.collages, options.noise, *common)
        if "harmony" in rows:
            harmony.run(options.collages, options.noise, *common)
        if "edits" in rows:
            edits.run(options.collages, options.noise, *common)
        if "levers" in rows:
            levers.run(options.collages, options.noise, *common)


if __name__ == "__main__":
    main()
