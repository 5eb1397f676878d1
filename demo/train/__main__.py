"""`python3 run.py train`: run the stages of training that are not finished yet."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import torch

from . import (
    autoencoder,
    control,
    diffusion,
    flow,
    harmony,
    judge,
    latents,
    looks,
    lora,
    packing,
    patterns,
    scenes,
    sheet,
    workshop,
)

# in the order of a training from nothing
STAGES: dict[str, Callable[[argparse.Namespace], None]] = {
    "scenes": lambda options: scenes.prepare(options.scenes, options.workers),
    "autoencoder": lambda options: train_autoencoder(options.crops),
    "latents": lambda _: latents.encode_shards(),
    "diffusion": lambda options: train_painter(options.half_size, options.images),
    "cool": lambda options: diffusion.cool_down(
        options.cool_images, 32, options.seconds, options.peak
    ),
    "flow": lambda options: train_flow(options.flow_half_size, options.flow_images),
    "flow-cool": lambda options: flow.cool_down(
        options.cool_images, 32, options.seconds, options.peak
    ),
    "decoder": lambda options: autoencoder.train(options.decoder_crops, freeze_encoder=True),
    "judge": lambda _: judge.train(),
    "judge-patterns": lambda _: patterns.train(),
    "pack": lambda _: packing.pack(),
    "pack-flow": lambda _: packing.pack_flow(),
    "control": lambda options: control.train(options.control_scenes, options.control_images),
    # their pictures go through the packed autoencoder
    "harmony": lambda _: harmony.train(),
    "looks": lambda _: looks.train(),
    "lora": lambda options: lora.train(options.lora_images),
}


def train_autoencoder(crops: int) -> None:
    if autoencoder.Trained().seen < crops:
        autoencoder.train(crops)
        autoencoder.finish_encoder()


def train_painter(half_size: int, images: int) -> None:
    diffusion.train(half_size, 16)
    diffusion.train(images, 32)


def train_flow(half_size: int, images: int) -> None:
    flow.train(half_size, 16)
    flow.train(images, 32)


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py train", description=__doc__)
    parser.add_argument("--stage", choices=("all", *STAGES, "unpack", "sheet"), default="all")
    parser.add_argument("--scenes", type=int, default=20_000, help="scenes in all")
    parser.add_argument("--crops", type=int, default=96_000, help="autoencoder: crops in all")
    parser.add_argument("--decoder-crops", type=int, default=400_000, help="with the decoder's own")
    parser.add_argument("--images", type=int, default=1_500_000, help="diffusion: pictures in all")
    parser.add_argument("--half-size", type=int, default=1_200_000, help="of them at half size")
    parser.add_argument("--flow-images", type=int, default=600_000, help="flow: pictures in all")
    parser.add_argument("--flow-half-size", type=int, default=480_000, help="of them half size")
    parser.add_argument("--cool-images", type=int, default=60_000, help="cool, flow-cool: pictures")
    parser.add_argument("--seconds", type=float, default=math.inf, help="of a cooling, at most")
    parser.add_argument("--peak", type=float, default=1.0, help="of the rates, as a cooling begins")
    parser.add_argument("--control-scenes", type=int, default=500, help="control: scenes in all")
    parser.add_argument("--control-images", type=int, default=8_000, help="control: pictures")
    parser.add_argument("--lora-images", type=int, default=800, help="lora: pictures for each")
    parser.add_argument("--size", type=int, default=32, help="sheet: of the latents, 16 or 32")
    parser.add_argument("--workers", type=int, default=2, help="processes that render scenes")
    parser.add_argument("--threads", type=int, default=0, help="torch threads (0 = its default)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True  # every step has the same shapes
    workshop.log("start", hardware=workshop.hardware(), torch=torch.__version__, seed=0)
    if options.stage == "unpack":
        packing.unpack()
    if options.stage == "sheet":
        sheet.paint(options.size)
    for name, stage in STAGES.items():
        if options.stage in ("all", name):
            stage(options)


if __name__ == "__main__":
    main()
