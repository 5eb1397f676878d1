"""Words in their places on tiny random models of every transformer family."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

REGIONS = ((2, 3, 4), (9, 10))  # tokens of the two regions
SIZES = {"hunyuan_video": (18, 14), "kandinsky5": (18, 14)}  # these refuse odd latents
ODD = (17, 13)
SIGMA = 0.7
WIDGETS = {"schedule": "paper", "strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}
COSMOS_SIGMA = 2.0


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture(scope="session")
def loop(load_module):
    return load_module(Path(__file__).with_name("float64_loop.py"))


@pytest.fixture(scope="session")
def transformers(load_module):
    return load_module(Path(__file__).parents[1] / "tiny_transformers.py")


@pytest.fixture(scope="session")
def encoders(load_module):
    """The module of tiny text encoders."""
    return load_module(Path(__file__).parents[1] / "tiny_text_encoders.py")


@pytest.fixture(scope="session")
def wan_vae(tiny):
    """-> a random VAE of Wan and Qwen-Image: 16 channels, with frames."""
    import comfy.ldm.wan.vae
    import comfy.sd

    def make():
        weights = comfy.ldm.wan.vae.WanVAE(
            dim=8, z_dim=16, temperal_downsample=[False, True, True], dropout=0.0
        )
        tiny.randomize(weights, 2)
        return comfy.sd.VAE(weights.state_dict(), tiny.CPU, None, torch.float32)

    return make


@pytest.fixture(scope="module")
def clips(encoders):
    """A tiny CLIP by family."""
    made = {}

    def get(family: str):
        if family not in made:
            made.clear()  # one at a time: vocabularies are large
            made[family] = encoders.tiny_text_encoder(family)
        return made[family]

    return get


@pytest.fixture
def make_collage(pack):
    """A canvas of 96 x 128 pixels with one layer left and one right."""

    def make(prompt: str, texts=("red fox", "blue bear"), embedding=None):
        core = pack.collage_core.collage.collage
        layers = tuple(
            core.Layer(
                image=torch.rand(1, 96, 40, 3),
                alpha=torch.ones(1, 96, 40),
                text=text,
                x=x,
                embedding=embedding,
            )
            for text, x in zip(texts, (0.25, 0.75), strict=True)
        )
        background = torch.rand(1, 128, 96, 3)
        return core.Collage(
            width=96, height=128, prompt=prompt, background=background, layers=layers
        )

    return make


@pytest.fixture
def patch(patch_both):
    """Execute the node: (model, positive, report)."""
    return lambda **inputs: patch_both(**inputs)[:3]


@pytest.fixture
def patch_both(pack):
    """Execute the node: (model, positive, report, negative)."""

    def execute(**inputs):
        return pack.nodes.attention.MaskedCrossAttentionPatch.execute(**{**WIDGETS, **inputs}).args

    return execute


@pytest.fixture
def refused(pack):
    def check(match: str):
        return pytest.raises(pack.collage_core.errors.CollageError, match=match)

    return check


@pytest.fixture
def make_bias(pack):
    """An AttentionBias of two soft regions for a latent of that many rows and columns."""

    def make(size: tuple[int, int], *, batch: int = 1, attract=1.2, repel=0.8, **more):
        core = pack.collage_core.attention.bias
        generator = torch.Generator().manual_seed(7)
        masks = torch.rand(batch, 2, 8 * size[0], 8 * size[1], generator=generator)
        masks[:, 0, :, 4 * size[1] :] = 0
        masks[:, 1, :, : 4 * size[1]] = 0
        regions = tuple(core.TokenRegion((n,), tokens) for n, tokens in enumerate(REGIONS))
        more = {"schedule": "paper", **more}
        return core.AttentionBias(masks, regions, (attract,) * 2, (repel,) * 2, **more)

    return make


@dataclass(frozen=True)
class Case:
    """A family's model, patched and not, its two prompts, and latents of an odd size."""

    family: str
    model: Any
    patched: Any
    bias: Any
    positive: list
    negative: list
    x: torch.Tensor
    sigma: float


@pytest.fixture(scope="session")
def model_of(transformers):
    """The family's model, made once; tests that change its shapes or itself make their own."""
    return functools.cache(transformers.tiny_transformer)


@pytest.fixture
def make_case(pack, transformers, model_of, make_bias):
    def make(
        family: str, *, batch: int = 2, tokens: int = 20, shapes=None, size=None, **bias
    ) -> Case:
        attention = pack.nodes.host.attention
        size = size or SIZES.get(family, ODD)
        own = shapes is not None
        model = transformers.tiny_transformer(family, **shapes) if own else model_of(family)
        asked = make_bias(size, **bias)
        positive = attention.conditioning.with_bias(
            transformers.text(family, tokens, seed=3), asked
        )
        return Case(
            family,
            model,
            attention.patch.patch_model(model),
            asked,
            positive,
            transformers.text(family, tokens, seed=8),
            transformers.latents(family, *size, batch=batch),
            COSMOS_SIGMA if family == "cosmos_predict2" else SIGMA,
        )

    return make


@pytest.fixture
def predict():
    """The guider's way to the model: predictions of several conditionings in one batch."""
    import comfy.samplers

    class Once(comfy.samplers.Sampler):
        """Asks for predictions of `x`, and keeps them."""

        def __init__(self, x: torch.Tensor):
            self.x, self.found = x, {}

        def sample(self, *args: Any, **_: Any) -> Any:
            guider, sigmas, extra_args = args[:3]
            level = sigmas[0].expand(len(self.x))
            arguments = (self.x, level, extra_args["model_options"])
            conds = list(guider.conds.values())
            found = comfy.samplers.calc_cond_batch(guider.inner_model, conds, *arguments)
            self.found = dict(zip(guider.conds, found, strict=True))
            return self.x

    def run(model, conds: dict[str, list], x, sigma: float) -> dict[str, torch.Tensor]:
        guider, once = comfy.samplers.CFGGuider(model), Once(x)
        guider.inner_set_conds(conds)
        guider.sample(torch.zeros_like(x), x, once, torch.tensor([sigma, 0.0]), seed=1)
        return once.found

    return run


@pytest.fixture(scope="session")
def agree():
    """Asserts that a prediction is the loop's, which is another than the unpatched model's."""

    def check(found: torch.Tensor, wanted: torch.Tensor, plain: torch.Tensor) -> None:
        moved, apart = (wanted - plain).abs().max(), (found - wanted).abs().max()
        assert moved > 1e-3
        assert apart < 1e-4 * max(1.0, float(wanted.abs().max()))
        assert apart < moved / 50

    return check
