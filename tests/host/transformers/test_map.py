"""Where words act on transformers: CollageAttentionMap against a plain softmax over all keys."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

FAMILIES = [
    "flux", "flux2", "sd3", "qwen_image", "zimage", "wan", "wan22", "cosmos_predict2", "ltxv",
    "hunyuan_image", "lens", "joyimage", "omnigen2", "krea2", "anima",
]  # fmt: skip
CROSSED = ("wan", "wan22", "cosmos_predict2", "ltxv", "anima")
PADDED = ("flux2", "anima")
REGIONS = ((2, 3, 4), (9, 10))
SIZE = (9, 13)


@pytest.fixture
def make(pack, transformers):
    """A patched model, the collage and the latent of a finished picture of a family."""

    def patched(family: str, *, strength: float = 1.0, watch=None):
        core, attention = pack.collage_core, pack.nodes.host.attention
        model = transformers.tiny_transformer(family)
        if watch is not None:
            model.model_options["transformer_options"]["optimized_attention_override"] = watch
        cell = model.model.latent_format.spacial_downscale_ratio
        height, width = SIZE[0] * cell, SIZE[1] * cell
        layers = tuple(
            core.collage.layer.Layer(
                image=torch.ones(1, height, width // 2, 3),
                alpha=torch.ones(1, height, width // 2), text=text, x=x,
            )
            for text, x in (("bear", 0.25), ("red hat", 0.75))
        )  # fmt: skip
        collage = core.collage.collage.Collage(
            width=width, height=height, prompt="a bear and a red hat", layers=layers,
            background=torch.full((1, height, width, 3), 0.6),
        )  # fmt: skip
        bias = core.attention.bias.AttentionBias(
            masks=collage.composite.visible_alpha,
            regions=tuple(
                core.attention.bias.TokenRegion((n,), tokens) for n, tokens in enumerate(REGIONS)
            ),
            attract=(strength,) * 2, repel=(strength,) * 2, schedule="constant",
        )  # fmt: skip
        text = transformers.text(family, 20)
        if family == "ltxv":  # padding, which its network hides from the cells
            text[0][1]["attention_mask"][:, 15:] = 0
        positive = attention.conditioning.with_bias(text, bias, collage)
        patched = attention.patch.attach_conditioning(attention.patch.patch_model(model), positive)
        latent = {"samples": transformers.latents(family, *SIZE)}
        return SimpleNamespace(
            model=patched, positive=positive, bias=bias, collage=collage, latent=latent
        )

    return patched


@pytest.fixture
def run(node_of, in_graph):
    def execute(case, **inputs):
        given = {"latent": case.latent, "steps": 2, "seed": 3, **inputs}
        return in_graph("CollageAttentionMap", {}, model=case.model, collage=case.collage, **given)

    return execute


class Watch:
    """The attention of another pack: keeps scores and bias [B, H, N, K] of every call."""

    def __init__(self) -> None:
        self.seen: list[torch.Tensor] = []

    def __call__(self, function, q, k, v, heads, *args, **kwargs):
        one, other, mask = q, k, kwargs.get("mask", args[0] if args else None)
        if not kwargs.get("skip_reshape", False):
            one, other = (x.unflatten(-1, (-1, q.shape[-1] // heads)).mT for x in (q, k))
            one, other = (x.permute(0, 3, 1, 2) for x in (one, other))
        other = other.repeat_interleave(one.shape[1] // other.shape[1], 1).double()
        scores = one.double() @ other.mT / one.shape[-1] ** 0.5
        if mask is not None:
            scores += mask.reshape(-1, 1, mask.shape[-2] if mask.ndim > 2 else 1, mask.shape[-1])
        self.seen.append(scores)
        return function(q, k, v, heads, *args, **kwargs)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_a_plain_softmax_over_all_keys(pack, make, family) -> None:
    """Of the calls with words, in which another pack's attention gets the cells apart."""
    watch = Watch()
    case = make(family, strength=0.7, watch=watch)
    replay = pack.nodes.host.attention.replay
    found = replay.replay(case.model, case.positive, case.latent, 2, 4)
    network, x = case.model.model.diffusion_model, case.latent["samples"]
    tokens = 512 if family in PADDED else 20
    layout = pack.nodes.host.models.transformers.layout_of(network, x, tokens, {})
    first = layout.first_token + (tokens - 20 if family == "flux2" else 0)
    shape = (layout.cells, layout.keys)
    shares = [one.softmax(-1).mean(1) for one in watch.seen if one.shape[2:] == shape]
    assert len(shares) >= 2 * 2  # levels and blocks
    each = [
        torch.stack([one[..., [first + t for t in region]].sum(-1) for region in REGIONS], 1)
        for one in shares
    ]
    wanted = (torch.stack(each).sum(0) / len(shares)).unflatten(-1, layout.grid).float()
    wanted = wanted if layout.grid == SIZE else wanted.repeat_interleave(2, -2)
    wanted = wanted if layout.grid == SIZE else wanted.repeat_interleave(2, -1)
    torch.testing.assert_close(found, wanted[..., : SIZE[0], : SIZE[1]], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("family", ["flux", "qwen_image", "zimage", "wan"])
def test_the_report_says_what_share_words_have_beside_cells(run, make, family) -> None:
    case = make(family)
    image, report = run(case)
    assert image.shape == (2, case.collage.height, case.collage.width, 3)
    assert report.count("leakage ") == 2
    assert ("of a cell's attention. The rest" in report) == (family not in CROSSED)


@pytest.mark.parametrize("family", ["flux", "wan"])
def test_the_bias_draws_the_attention_into_the_mask(run, make, family) -> None:
    def leaks(strength: float) -> list[float]:
        _, report = run(make(family, strength=strength))
        return [float(part.split(" %")[0]) for part in report.split("leakage ")[1:]]

    for before, after in zip(leaks(0.0), leaks(2.0), strict=True):
        assert 30 < before < 70
        assert after < before - 5


def test_a_latent_of_another_shape_is_refused(pack, run, make, transformers) -> None:
    case = make("qwen_image")
    flat = {"samples": case.latent["samples"].squeeze(2)}
    with pytest.raises(
        pack.collage_core.errors.CollageError,
        match=r"\[1, 16, 9, 13\] is not \[batch, 16, 1, 9, 13\]",
    ):
        run(case, latent=flat)


@pytest.mark.parametrize("every", [1, 2])
def test_a_pack_that_skips_calls_is_found_out(pack, run, make, every) -> None:
    case, kept = make("flux"), []

    def cached(apply_model, args):
        if every == 1:
            return args["input"]
        if not kept:
            kept.append(apply_model(args["input"], args["timestep"], **args["c"]))
            return kept[0]
        return kept.pop()

    case.model.set_model_unet_function_wrapper(cached)
    told = "0 of 3 calls" if every == 1 else "8 of 12 calls"
    with pytest.raises(pack.collage_core.errors.CollageError, match=f"input model: {told} of its"):
        run(case, steps=3)
