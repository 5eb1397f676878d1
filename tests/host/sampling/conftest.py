"""PerLayerNoiseKSampler on tiny random models, beside the host's own KSampler."""

from __future__ import annotations

import os

import pytest
import torch

STEPS = 3


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every sampler and scheduler the host has; their names are known only where it is."""
    for name, attribute in (("any_sampler", "SAMPLERS"), ("any_scheduler", "SCHEDULERS")):
        if name in metafunc.fixturenames and os.environ.get("COMFYUI_PATH"):
            import comfy.samplers

            metafunc.parametrize(name, getattr(comfy.samplers.KSampler, attribute))


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture
def prompts(tiny) -> dict:
    return {"positive": tiny.conditioning(seed=3), "negative": tiny.conditioning(seed=4)}


@pytest.fixture
def make_collage(pack):
    """A grey canvas of `size` (height, width) whose left half is covered by one layer per noise."""

    def make(*noises: float, size: tuple[int, int] = (64, 64), batch: int = 1):
        core = pack.collage_core.collage.collage
        height, width = size
        generator = torch.Generator().manual_seed(11)
        layers = tuple(
            core.Layer(
                image=torch.rand(batch, height, width // 2, 3, generator=generator),
                alpha=torch.ones(batch, height, width // 2),
                text="sushi",
                x=0.25,
                noise=noise,
            )
            for noise in noises
        )
        background = torch.rand(1, height, width, 3, generator=generator)
        return core.Collage(
            width=width, height=height, prompt="sushi", background=background, layers=layers
        )

    return make


@pytest.fixture
def run(pack, model, vae, prompts):
    """Execute the node; inputs that a test does not name are the ones below."""

    def execute(collage, **inputs):
        given = {
            "model": model,
            "vae": vae,
            **prompts,
            "seed": 5,
            "steps": STEPS,
            "cfg": 4.0,
            "sampler_name": "euler_ancestral",
            "scheduler": "normal",
            "base_noise": 0.8,
            "feather": 0.0,
        }
        node = pack.nodes.sampling.PerLayerNoiseKSampler
        return node.execute(collage=collage, **{**given, **inputs}).args[:2]

    return execute


@pytest.fixture
def ksampler(model, prompts, host_ksampler):
    """The samples of the host's KSampler with the inputs `run` uses."""

    def sample(latent: dict, denoise: float, **inputs) -> torch.Tensor:
        given = {"model": model, **prompts, "steps": STEPS, "sampler_name": "euler_ancestral"}
        return host_ksampler(latent=latent, denoise=denoise, **{**given, **inputs})

    return sample


@pytest.fixture
def left_half_kept():
    """Samples whose left half must be the original's, and whose right half must not."""

    def check(samples: torch.Tensor, original: torch.Tensor) -> None:
        middle = original.shape[-1] // 2
        assert samples.isfinite().all()
        assert torch.equal(samples[..., :middle], original[..., :middle])
        assert (samples[..., middle:] - original[..., middle:]).abs().mean() > 0.01

    return check
