"""Ten edits in a row with the demo model: what no edit named is the first picture to the byte."""

from __future__ import annotations

import numpy as np
import pytest
import torch

KSAMPLER = {
    "steps": 2, "cfg": 2.0, "sampler_name": "euler_ancestral", "scheduler": "normal",
    "base_noise": 0.8, "feather": 20.0,
}  # fmt: skip
WORDS = {"schedule": "paper", "strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}


@pytest.fixture(scope="module")
def demo(pack):
    with torch.inference_mode():
        yield pack.nodes.host.demo_model.loader.load_all()


@pytest.fixture
def paint(execute, demo):
    """A picture of a collage."""
    model, clip, vae = demo
    negative = clip.encode_from_tokens_scheduled(clip.tokenize(""))

    def run(collage, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        words = execute(
            "MaskedCrossAttentionPatch", model=model, clip=clip, collage=collage, **WORDS
        )
        painted = execute(
            "PerLayerNoiseKSampler", model=words.model, collage=collage, vae=vae,
            positive=words.positive, negative=negative, seed=seed, **KSAMPLER,
        )  # fmt: skip
        return vae.decode(painted.latent["samples"]), painted.noise_map

    return run


def saved(picture: torch.Tensor) -> np.ndarray:
    """The bytes that ComfyUI's SaveImage writes."""
    return np.clip(255.0 * picture.cpu().numpy(), 0, 255).astype(np.uint8)


def toys(pack):
    """A red, a brown and a blue square in a row on a grey canvas of 144 x 96 pixels."""
    core = pack.collage_core.collage.collage
    colours = {
        "red ball": (0.8, 0.1, 0.1),
        "teddy bear": (0.5, 0.3, 0.1),
        "blue cube": (0.1, 0.2, 0.7),
    }
    layers = tuple(
        core.Layer(
            image=torch.tensor(colour).expand(1, 40, 40, 3),
            alpha=torch.ones(1, 40, 40),
            text=text,
            x=(2 * n + 1) / 6,
        )
        for n, (text, colour) in enumerate(colours.items())
    )
    return core.Collage(
        width=144, height=96, prompt="a red ball, a teddy bear and a blue cube",
        background=torch.full((1, 96, 144, 3), 0.6), layers=layers,
    )  # fmt: skip


def test_ten_edits_leave_every_other_byte_alone(pack, execute, paint) -> None:
    stack = toys(pack)
    first, _ = paint(stack, seed=0)
    picture, touched, drift = first, torch.zeros(1, 96, 144, dtype=torch.bool), []
    for turn in range(10):
        stack = execute(
            "CollageEdit", collage=stack, image=picture, layers=("1", "3")[turn % 2], noise=0.9,
            phrase="", feather=2.0, paste=False,
        ).collage  # fmt: skip
        new, noise_map = paint(stack, seed=turn)
        given = {"original": picture, "new": new, "feather": 3.0}
        back = execute("CollagePasteBack", **given, collage=stack)
        assert torch.equal(back.image, execute("CollagePasteBack", **given, mask=noise_map).image)
        inside = back.mask > 0
        assert torch.equal(back.image[~inside], picture[~inside])
        assert (back.image[inside] - picture[inside]).abs().mean() > 0.002
        drift.append((new[~inside] - picture[~inside]).abs().max().item())
        touched |= inside
        picture = back.image
    assert min(drift) > 2 / 255  # what the VAE alone would have changed every time
    assert 0.2 < touched.float().mean() < 0.8
    assert torch.equal(picture[~touched], first[~touched])
    assert np.array_equal(saved(picture)[~touched], saved(first)[~touched])
