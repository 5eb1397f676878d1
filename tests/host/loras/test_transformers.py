"""LoRAs of layers in every family of transformers."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from torch.testing import assert_close

SIZES = {"hunyuan_video": (18, 14), "kandinsky5": (18, 14)}  # these refuse odd latents
ODD = (17, 13)
WORDS = (2, 3, 4)
ADAPTER = "llm_adapter"  # of Anima, which runs before a call of the model
FAMILIES = [
    "flux", "flux2", "chroma", "sd3", "qwen_image", "zimage", "lumina2", "wan", "wan22",
    "cosmos_predict2", "anima", "aura_flow", "ltxv", "hunyuan_image", "hunyuan_video",
    "hunyuan_video15", "kandinsky5", "omnigen2", "lens", "joyimage", "krea2",
]  # fmt: skip


@pytest.fixture
def put_on(pack):
    """Patch a model with the tensors of one LoRA per row of strengths [G, L]: (model, positive)."""

    def run(model, prompt, tensors, masks, regions, strengths):
        host, core = pack.nodes.host, pack.collage_core.attention
        regions = tuple(core.bias.TokenRegion((n,), own) for n, own in enumerate(regions))
        bias = core.bias.AttentionBias(masks, regions, (0.0,) * len(regions), (0.0,) * len(regions))
        positive = host.attention.conditioning.with_bias(prompt, bias)
        network, numbered = model.model.diffusion_model, {}
        for number, own in enumerate(tensors):
            for name, terms in host.loras.adapters.model_terms(model, own, "it").items():
                numbered.setdefault(name, []).extend((number, term) for term in terms)

        def stacks():
            make = host.loras.stacks.Stack
            return {
                name: make(network.get_submodule(name), terms, torch.float32)
                for name, terms in numbered.items()
            }

        patched = host.attention.patch.patch_model(model)
        weights = core.lora_weights.LoraWeights(masks, torch.tensor(strengths))
        asked = host.attention.conditioning.bias_of(positive[0][1])
        host.loras.patch.add_loras(patched, asked, weights, stacks)
        return patched, positive

    return run


@pytest.fixture
def make(transformers, files, put_on):
    """A family's model with a LoRA of every module per row of strengths."""

    def run(family: str, masks, regions, strengths, *, tokens: int = 20, model=None):
        model = model or transformers.tiny_transformer(family)
        network = model.model.diffusion_model
        made = [
            files.tensors(network, seed=number, only=lambda name: ADAPTER not in name)
            for number in range(len(strengths))
        ]
        prompt = transformers.text(family, tokens, seed=3)
        patched, positive = put_on(model, prompt, made, masks, regions, strengths)
        return SimpleNamespace(
            model=model, patched=patched, positive=positive, tensors=made, network=network
        )

    return run


@pytest.mark.parametrize("family", FAMILIES)
def test_a_layer_of_everything_is_load_lora(
    make, transformers, loader, predict, family: str
) -> None:
    size = SIZES.get(family, ODD)
    case = make(family, torch.ones(1, 1, 8 * size[0], 8 * size[1]), [WORDS], [[0.7]])
    plain = transformers.text(family, 20, seed=3)
    conds = {"positive": plain, "negative": transformers.text(family, 20, seed=8)}
    x = transformers.latents(family, *size, batch=2)
    loaded, _ = loader(case.model, case.tensors[0], 0.7, clip=None)
    found = predict(case.patched, {**conds, "positive": case.positive}, x)
    wanted, unpatched = predict(loaded, conds, x), predict(case.model, conds, x)
    for name in conds:
        scale = wanted[name].abs().max()
        assert (wanted[name] - unpatched[name]).abs().max() > 0.01 * scale
        assert_close(found[name], wanted[name], atol=2e-4 * float(scale), rtol=2e-3)


@pytest.fixture
def quantized(transformers):
    """Flux with the weights of its blocks in fp8 as files have them, and one with their values."""
    import comfy.model_patcher
    import comfy.ops

    tiny, rounded = transformers.FAMILIES["flux"], transformers.tiny_transformer("flux")
    config = tiny.description(tiny.options())
    config.quant_config = {"mixed_ops": True}
    model = tiny.model(config, device=transformers.CPU)
    file = rounded.model.diffusion_model.state_dict()
    kind = torch.tensor([*json.dumps({"format": "float8_e4m3fn"}).encode()], dtype=torch.uint8)
    for name, weight in [*file.items()]:
        if "_blocks." in name and weight.ndim == 2:
            scale = weight.abs().max() / 448
            file[name] = (weight / scale).to(torch.float8_e4m3fn)
            weight.copy_(file[name].to(weight) * scale)
            layer = name.removesuffix(".weight")
            file |= {f"{name}_scale": scale, f"{layer}.comfy_quant": kind}
    model.diffusion_model.load_state_dict(file)
    place = {"load_device": transformers.CPU, "offload_device": transformers.CPU}
    return comfy.model_patcher.ModelPatcher(model, **place), rounded


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr"])
def test_quantised_weights(put_on, quantized, transformers, files, predict, kind: str) -> None:
    """ComfyUI's class of layers for them is no torch.nn.Linear."""
    import comfy.ops

    model, rounded = quantized
    weights = [getattr(one, "weight", None) for one in model.model.diffusion_model.modules()]
    assert sum(isinstance(one, comfy.ops.QuantizedTensor) for one in weights) > 20
    tensors = files.tensors(rounded.model.diffusion_model, kind=kind)
    prompt, x = transformers.text("flux", 20, seed=3), transformers.latents("flux", 16, 12)
    masks = torch.zeros(1, 1, 128, 96)
    masks[..., :48] = 1
    found, wanted = (
        put_on(one, prompt, [tensors], masks, [WORDS], [[0.7]]) for one in (model, rounded)
    )
    found, wanted = (predict(one, {"p": own}, x)["p"] for one, own in (found, wanted))
    plain = predict(model, {"p": prompt}, x)["p"]
    assert (wanted - plain).abs().mean() > 0.1
    assert_close(found, wanted, atol=1e-4, rtol=1e-3)


OWN, OTHER = (2, 3), (9, 10)  # words of the left and of the right layer
GRID = {1: (16, 12), 2: (8, 6)}  # cells of a latent of 16 x 12, by the size of a patch
SIMPLE = {"flux": 2, "qwen_image": 2, "sd3": 2, "wan": 2, "joyimage": 2, "lens": 1, "ltxv": 1}


def dense(tensors: dict, name: str, weight: torch.Tensor) -> torch.Tensor:
    """A module's weight with the LoRA in it."""
    up, down, alpha = (
        tensors[f"diffusion_model.{name}.{part}"]
        for part in ("lora_up.weight", "lora_down.weight", "alpha")
    )
    return weight + alpha / len(down) * (up.flatten(1) @ down.flatten(1)).view(weight.shape)


def seen_by(predict, model, network, conds, x) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """The input and the output of every linear layer in one call, by its name."""
    seen, handles = {}, []
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Linear):

            def note(_, args, out, name=name) -> None:
                seen[name] = (args[0].clone(), out.clone())  # some blocks go on in place

            handles.append(module.register_forward_hook(note))
    predict(model, conds, x)
    for handle in handles:
        handle.remove()
    return seen


def shares(layout, tokens: int, role: str, rows: int) -> torch.Tensor:
    """How much of the left layer and of the right layer, [rows, n, 2]; words in the last row."""
    left = torch.arange(layout.cells) % layout.grid[1] < layout.grid[1] // 2
    cells = torch.stack([left, ~left], -1).float().expand(rows, -1, -1)
    words = torch.full((rows, tokens, 2), 0.5)
    for place, owner in [(one, (1.0, 0.0)) for one in OWN] + [(one, (0.0, 1.0)) for one in OTHER]:
        words[-1, place] = torch.tensor(owner)
    both = torch.cat([words, cells] if layout.first_cell else [cells, words], 1)
    return {"cells": cells, "words": words, "both": both}.get(role, torch.full((rows, 1, 2), 0.5))


@pytest.mark.parametrize("family", SIMPLE)
def test_two_layers_are_two_whole_runs_in_every_linear_layer(
    make, transformers, pack, predict, family: str
) -> None:
    """Cells, words or both are told from the module, also where there are as many of both."""
    masks = torch.zeros(1, 2, 128, 96)
    masks[:, 0, :, :48] = masks[:, 1, :, 48:] = 1
    x, model = transformers.latents(family, 16, 12), transformers.tiny_transformer(family)
    (rows, columns), roles = GRID[SIMPLE[family]], {}
    for tokens in (20, rows * columns):
        case = make(family, masks, [OWN, OTHER], [[1, 0], [0, 1]], tokens=tokens, model=model)
        layout = pack.nodes.host.models.transformers.layout_of(case.network, x, tokens, {})
        assert layout.grid == (rows, columns)
        lengths = {layout.cells: "cells", tokens: "words", tokens + layout.cells: "both"}
        negative = transformers.text(family, tokens, seed=8)
        seen = seen_by(predict, case.patched, case.network, {"p": case.positive, "n": negative}, x)
        assert len(seen) > 15
        for name, (given, out) in seen.items():
            count = given.shape[1:-1].numel() if given.ndim > 2 else 1
            role = roles.setdefault(name, lengths.get(count, "time"))
            module = case.network.get_submodule(name)
            weights = [dense(one, name, module.weight) for one in case.tensors]
            alone = [torch.nn.functional.linear(given, one, module.bias) for one in weights]
            share = shares(layout, tokens, role, len(given))
            share = share.view(
                len(given), *given.shape[1:-1] if count > 1 else [1] * (given.ndim - 2), 2
            )
            wanted = sum(share[..., n : n + 1] * one for n, one in enumerate(alone))
            assert_close(out, wanted, atol=1e-4, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}")
    assert {"cells", "words", "time"} <= set(roles.values())


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr"])
@pytest.mark.parametrize("family", ["flux", "sd3"])
def test_names_of_diffusers_for_parts_of_a_weight(
    transformers, files, put_on, loader, predict, family: str, kind: str
) -> None:
    """Queries, keys and values lie in one weight here, and some rows in another order."""
    import comfy.lora

    shapes = {"flux": {"mlp_ratio": 4.0}, "sd3": {}}  # as the host counts on
    model = transformers.tiny_transformer(family, **shapes[family])
    keys = comfy.lora.model_lora_keys_unet(model.model, {})
    parts = {name: key for name, key in keys.items() if isinstance(key, tuple)}
    names = {
        str(key): name
        for name, key in parts.items()
        if name.startswith("transformer.") and key[0] in model.model.state_dict()
    }
    generator, tensors = torch.Generator().manual_seed(1), {}
    for name in names.values():
        key, part, *_ = parts[name]
        shape = list(model.model.get_submodule(key.removesuffix(".weight")).weight.shape)
        if part is not None:
            shape[part[0]] = part[2]
        random = lambda *size: torch.randn(*size, generator=generator)  # noqa: E731
        tensors |= files.MAKERS[kind](name, shape, 4, random)
    assert {part for _, part, *_ in (parts[key] for key in names.values()) if part}
    prompt = transformers.text(family, 20)
    patched, positive = put_on(
        model, prompt, [tensors], torch.ones(1, 1, 128, 96), [WORDS], [[0.7]]
    )
    x = transformers.latents(family, 16, 12)
    loaded, _ = loader(model, tensors, 0.7, clip=None)
    found = predict(patched, {"p": positive}, x)["p"]
    wanted = predict(loaded, {"p": prompt}, x)["p"]
    assert (wanted - predict(model, {"p": positive}, x)["p"]).abs().max() > 0.01
    assert_close(found, wanted, atol=1e-3, rtol=2e-3)


def in_pytorch(_func, *args, **kwargs):
    """ComfyUI's own attention on the CPU asks for free memory, which no graph can hold."""
    from comfy.ldm.modules import attention

    return attention.attention_pytorch(*args, **kwargs)


def test_compiled_once(transformers, make, predict, backend) -> None:
    """Half a picture with a LoRA, at two noise levels and in a second run."""
    from comfy_api.torch_helpers import set_torch_compile_wrapper

    masks = torch.zeros(1, 1, 128, 96)
    masks[..., :48] = 1
    small = transformers.tiny_transformer("flux", depth=1, depth_single_blocks=1)
    case = make("flux", masks, [WORDS], [[0.7]], model=small)
    x, compiled = transformers.latents("flux", 16, 12), case.patched.clone()
    compiled.model_options["transformer_options"]["optimized_attention_override"] = in_pytorch
    set_torch_compile_wrapper(model=compiled, backend=backend, keys=["diffusion_model"])
    conds, graphs = {"p": case.positive, "n": transformers.text("flux", 20)}, []
    for sigma in (0.7, 0.4, 0.9):
        found, wanted = (predict(one, conds, x, sigma) for one in (compiled, case.patched))
        graphs.append(backend.graphs)
        for name in conds:
            assert_close(found[name], wanted[name], atol=1e-3, rtol=1e-3)
    assert graphs[0] == graphs[2] > 0
