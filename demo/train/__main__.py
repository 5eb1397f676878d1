"""`python3 run.py train`: run the stages of training that are not finished yet."""

from __future__ import annotations

import argparse

import numpy as np
import torch

from . import autoencoder, control, diffusion, harmony, judge, packing, pictures, workshop

STAGES = (
    *("all", "autoencoder", "latents", "diffusion", "decoder", "judge", "pack", "unpack"),
    *("control", "harmony"),
)


def cache_latents(scenes: int) -> None:
    """Stage 2: render scenes and keep their latents; adds what is missing up to `scenes`."""
    model = autoencoder.load_model()

    @torch.no_grad()
    def encode(batch: np.ndarray) -> np.ndarray:
        parts = torch.split(pictures.to_tensor(batch), 25)
        means = [autoencoder.scaled_latent(model, part.to(workshop.device())) for part in parts]
        return torch.cat(means).cpu().half().numpy()

    for path, number in pictures.shards(workshop.WORKSHOP / "latents", scenes, encode):
        print(f"{path.name}: {(number + 1) * pictures.SHARD} scenes", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py train", description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default="all")
    parser.add_argument("--crops", type=int, default=32_000, help="autoencoder: crops in all")
    parser.add_argument("--decoder-crops", type=int, default=64_000, help="with the decoder's own")
    parser.add_argument("--scenes", type=int, default=12_000, help="latents: scenes in all")
    parser.add_argument("--images", type=int, default=100_000, help="diffusion: pictures in all")
    parser.add_argument("--half-size", type=int, default=60_000, help="diffusion: at half size")
    parser.add_argument("--control-scenes", type=int, default=500, help="control: scenes in all")
    parser.add_argument("--control-images", type=int, default=8_000, help="control: pictures")
    parser.add_argument("--threads", type=int, default=0, help="torch threads (0 = its default)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    run(options)


def run(options: argparse.Namespace) -> None:
    workshop.log("start", hardware=workshop.hardware(), torch=torch.__version__, seed=0)
    wanted = options.stage
    train_model(options)
    if wanted == "unpack":
        packing.unpack()
    if wanted in ("all", "judge"):
        judge.train()
    if wanted in ("all", "pack"):
        packing.pack()
    if wanted in ("all", "control"):  # it learns beside the weights that the pack ships
        control.train(options.control_scenes, options.control_images)
    if wanted in ("all", "harmony"):  # its pictures go through the shipped autoencoder
        harmony.train()


def train_model(options: argparse.Namespace) -> None:
    """The stages that make the weights of the demo model."""
    wanted = options.stage
    if wanted in ("all", "autoencoder"):
        autoencoder.train(options.crops)
        autoencoder.finish_encoder()
    if wanted in ("all", "latents"):
        cache_latents(options.scenes)
    if wanted in ("all", "diffusion"):
        diffusion.train(diffusion.Part(options.images, 16, until=options.half_size))
        diffusion.train(diffusion.Part(options.images, 32, until=options.images))
    if wanted in ("all", "decoder"):
        autoencoder.train(options.decoder_crops, freeze_encoder=True, peak_rate=5e-4)


if __name__ == "__main__":
    main()
