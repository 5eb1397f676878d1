"""CollageControlNet on transformers: what a network adds to each token, times the map."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

SETTINGS = {"strength": 0.8, "start_percent": 0.0, "end_percent": 1.0}
SIZE, ODD = (96, 144), (88, 136)  # 12 x 18 and 11 x 17 latent cells, both 6 x 9 tokens
SAMPLED = {"seed": 5, "steps": 2, "cfg": 2.0, "sampler_name": "euler", "scheduler": "simple"}
KINDS = ["flux", "flux with latents", "chroma", "sd3", "sd35", "qwen_image"]


@pytest.fixture
def make_network(transformers):
    """A random control network of the host, and the family it goes with."""
    import comfy.cldm.dit_embedder
    import comfy.cldm.mmdit
    import comfy.controlnet
    import comfy.latent_formats as formats
    import comfy.ldm.flux.controlnet
    import comfy.ldm.qwen_image.controlnet
    import comfy.ops

    here = {"operations": comfy.ops.disable_weight_init, "device": transformers.CPU}
    here |= transformers.FLOAT

    def flux(**more):
        shapes = {
            k: v for k, v in transformers.FAMILIES["flux"].shapes.items() if k != "txt_ids_dims"
        }
        shapes |= {"guidance_embed": False, "txt_ids_dims": []}
        return comfy.ldm.flux.controlnet.ControlNetFlux(
            image_model="flux", **{**shapes, "depth": 1, "depth_single_blocks": 1, **more}, **here
        )

    def sd3():
        shapes = {**transformers.FAMILIES["sd3"].shapes}
        return comfy.cldm.mmdit.ControlNet(num_blocks=1, **shapes, **here)

    def sd35():
        size: Any = None
        return comfy.cldm.dit_embedder.ControlNetEmbedder(
            size, 2, 16, attention_head_dim=64, num_attention_heads=2, adm_in_channels=2048,
            num_layers=1, main_model_double=2, double_y_emb=False, **here,
        )  # fmt: skip

    def qwen():
        shapes = {**transformers.FAMILIES["qwen_image"].shapes, "num_layers": 1}
        return comfy.ldm.qwen_image.controlnet.QwenImageControlNetModel(**shapes, **here)

    made = {
        "flux": (flux, "flux", None, ["y", "guidance"], 8),
        "flux with latents": (
            lambda: flux(latent_input=True), "flux", formats.Flux, ["y", "guidance"], 1
        ),
        "chroma": (flux, "chroma", None, ["y", "guidance"], 8),
        "sd3": (sd3, "sd3", formats.SD3, ["y"], 1),
        "sd35": (sd35, "sd3", formats.SD3, ["y"], 1),
        "qwen_image": (qwen, "qwen_image", formats.Wan21, [], 1),
    }  # fmt: skip

    def make(kind: str, **more):
        build, family, latent_format, extra, ratio = made[kind]
        network, generator = build(**more).eval(), torch.Generator().manual_seed(3)
        with torch.no_grad():
            for weight in network.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) / 20)
            if kind == "sd3":  # a buffer that a checkpoint fills
                table = network.pos_embed
                table.copy_(torch.randn(table.shape, generator=generator) / 20)
        net = comfy.controlnet.ControlNet(
            network, compression_ratio=ratio, extra_conds=extra, load_device=transformers.CPU,
            latent_format=latent_format and latent_format(),
        )  # fmt: skip
        return SimpleNamespace(net=net, family=family, latents=latent_format is not None)

    return make


@pytest.fixture
def make_vae(tiny, wan_vae):
    def make(family: str):
        if family != "qwen_image":
            return tiny.tiny_vae(latent_channels=16)
        return wan_vae()

    return make


@pytest.fixture
def make_collage(pack):
    """A layer on the left half with one control and one on the right half with another."""

    def make(*controls: float, size: tuple[int, int] = SIZE, batch: int = 1):
        core, (height, width) = pack.collage_core.collage, size
        generator = torch.Generator().manual_seed(11)
        layers = tuple(
            core.layer.Layer(
                image=torch.rand(batch, height, width // 2, 3, generator=generator),
                alpha=torch.rand(batch, height, width // 2, generator=generator),
                text="sushi", x=x, control=control,
            )
            for control, x in zip(controls, (0.25, 0.75), strict=True)
        )  # fmt: skip
        background = torch.rand(1, height, width, 3, generator=generator)
        return core.collage.Collage(
            width=width, height=height, prompt="sushi", background=background, layers=layers
        )

    return make


@pytest.fixture
def control(pack, transformers, make_vae):
    """Positive, negative and control image of the node, for a kind of network."""

    def execute(kind, collage, *, base: float = 0.0, **inputs):
        prompts = {
            "positive": transformers.text(kind.family, seed=3),
            "negative": transformers.text(kind.family, seed=8),
        }
        vae = {"vae": make_vae(kind.family)} if kind.latents else {}
        node = pack.nodes.control.CollageControlNet
        given = {**prompts, **SETTINGS, "control_net": kind.net, **vae, **inputs}
        return node.execute(collage=collage, base_control=base, **given).args

    return execute


@pytest.fixture
def added(transformers):
    """Sample: the result, and what control added in the first call, {key: outputs}."""
    import nodes

    def run(family: str, conditionings, size=SIZE, batch: int = 1, **shapes):
        model, seen = transformers.tiny_transformer(family, **shapes), []

        def watch(apply_model, args):
            found = args["c"].get("control") or {}
            seen.append({k: [x if x is None else x.clone() for x in v] for k, v in found.items()})
            return apply_model(args["input"], args["timestep"], **args["c"])

        model.set_model_unet_function_wrapper(watch)
        latent = {"samples": transformers.latents(family, size[0] // 8, size[1] // 8, batch=batch)}
        positive, negative = conditionings[:2]
        (result,) = nodes.common_ksampler(
            model, positive=positive, negative=negative, latent=latent, **SAMPLED
        )
        return result["samples"], seen[0]

    return run


@pytest.fixture
def of_the_host(make_vae):
    """The host's own ControlNetApplyAdvanced with the same picture."""
    import nodes

    def apply(kind, positive, negative, image):
        vae = make_vae(kind.family) if kind.latents else None
        apply = nodes.ControlNetApplyAdvanced().apply_controlnet
        return apply(positive, negative, kind.net, image, vae=vae, **SETTINGS)

    return apply


@pytest.mark.parametrize("name", KINDS)
def test_control_1_everywhere_is_the_hosts_to_the_bit(
    make_network, make_collage, control, added, of_the_host, transformers, name
) -> None:
    kind = make_network(name)
    positive, negative, image = control(kind, make_collage(1.0, 1.0), base=1.0)
    prompts = [transformers.text(kind.family, seed=seed) for seed in (3, 8)]
    found, outputs = added(kind.family, (positive, negative))
    wanted, same = added(kind.family, of_the_host(kind, *prompts, image))
    without, _ = added(kind.family, prompts)
    assert torch.equal(found, wanted)
    assert not torch.equal(found, without)
    assert [len(v) for v in outputs.values()] == [len(v) for v in same.values()]


@pytest.mark.parametrize("size", [SIZE, ODD])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("name", ["flux with latents", "sd3", "qwen_image"])
def test_each_token_is_weighed_by_its_own_part_of_the_canvas(
    make_network, make_collage, control, added, of_the_host, transformers, name, batch, size
) -> None:
    """Loops over tokens of 16 pixels; the last of an odd side has the mean of its inner half."""
    kind, collage = make_network(name), make_collage(0.25, 2.0, size=size, batch=batch)
    positive, negative, image = control(kind, collage, base=0.5)
    prompts = [transformers.text(kind.family, seed=seed) for seed in (3, 8)]
    _, outputs = added(kind.family, (positive, negative), size, batch)
    _, plain = added(kind.family, of_the_host(kind, *prompts, image), size, batch)
    visible = collage.composite.visible_alpha.double()
    pixels = 0.5 - 0.25 * visible[:, 0] + 1.5 * visible[:, 1]
    weights = torch.stack(
        [
            pixels[:, 16 * row : 16 * row + 16, 16 * column : 16 * column + 16].mean((1, 2))
            for row in range(6)
            for column in range(9)
        ], 1
    ).unsqueeze(-1).float()  # fmt: skip
    compared = 0
    for key, found in outputs.items():
        for one, other in zip(found, plain[key], strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                chunks = len(other) // batch
                torch.testing.assert_close(one, other * weights.repeat(chunks, 1, 1))
                compared += 1
    assert compared


@pytest.mark.parametrize(
    ("name", "family", "told"),
    [
        ("flux", "sd3", "a ControlNetFlux was made for another family than SD3"),
        ("qwen_image", "flux", "a QwenImageControlNetModel was made for another family than Flux"),
        ("flux", "zimage", "kind Lumina2 is not supported; .* Flux.1, Chroma and Qwen-Image are"),
        ("flux", "flux2", "kind Flux2 is not supported; "),
    ],
)
def test_a_network_or_model_of_another_family_is_refused(
    pack, transformers, make_network, make_collage, control, added, name, family, told
) -> None:
    kind = make_network(name)
    positive, *_ = control(kind, make_collage(1.0, 0.5))
    carried = {"control": positive[0][1]["control"], "control_apply_to_uncond": False}
    others = [
        [[features, {**options, **carried}]]
        for seed in (3, 8)
        for features, options in transformers.text(family, seed=seed)
    ]
    with pytest.raises(pack.collage_core.errors.CollageError, match=told):
        added(family, others)


def test_a_network_for_another_text_encoder_is_refused(
    pack, make_network, make_collage, control, added
) -> None:
    """LongCat-Image and Ovis-Image are of the class of Flux.1, and their text is narrower."""
    kind = make_network("flux", context_in_dim=24)
    conditionings = control(kind, make_collage(1.0, 0.5))
    with pytest.raises(
        pack.collage_core.errors.CollageError,
        match="the network takes 24 numbers per token, the model 64: it was made for another",
    ):
        added("flux", conditionings)


def test_a_network_for_another_size_of_the_model_is_refused(
    pack, make_network, make_collage, control, added
) -> None:
    """Those for SD3.5 Large and Medium read no text: what they make tells them apart."""
    conditionings = control(make_network("sd35"), make_collage(1.0, 0.5))
    text = {"in_features": 4096, "out_features": 192}
    shapes = {
        "depth": 3,
        "context_embedder_config": {"target": "torch.nn.Linear", "params": text},
    }
    with pytest.raises(
        pack.collage_core.errors.CollageError,
        match="network makes 54 x 128 where the model has 9 x 6 tokens of 192 numbers",
    ):
        added("sd3", conditionings, **shapes)


def test_a_flux_network_on_a_unet_is_refused(
    pack, tiny, make_network, make_collage, control
) -> None:
    positive, *_ = control(make_network("flux"), make_collage(1.0, 0.5))
    model = tiny.tiny_model().model
    with pytest.raises(
        pack.collage_core.errors.CollageError, match="ControlNetFlux was made for another family"
    ):
        positive[0][1]["control"].pre_run(model, model.model_sampling.percent_to_sigma)


def test_a_network_that_looks_at_latents_needs_a_vae(
    pack, make_network, make_collage, control
) -> None:
    with pytest.raises(
        pack.collage_core.errors.CollageError, match="input vae: this network looks at latents"
    ):
        control(make_network("sd3"), make_collage(1.0, 0.5), vae=None)


def test_blocks_that_share_an_output_share_the_weighed_one(
    make_network, make_collage, control, added, monkeypatch
) -> None:
    """60 blocks of Qwen-Image get the outputs of a few: copies would fill the memory."""
    kind, seen = make_network("qwen_image"), []
    positive, negative, _ = control(kind, make_collage(0.3, 0.6))
    weighed = type(positive[0][1]["control"])
    get_control = weighed.get_control

    def watch(self, *call):
        found = get_control(self, *call)
        seen.append([id(x) for x in found["input"]])
        return found

    monkeypatch.setattr(weighed, "get_control", watch)
    added(kind.family, (positive, negative))
    assert all(len(ids) == 60 and len(set(ids)) == 1 for ids in seen)
    assert seen
