"""LoRAs of layers in a UNet: in every module, whatever the batch, the size or the precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

TOLERANCE: dict[str, Any] = {"atol": 2e-4, "rtol": 1e-3}
HALVES = (("red fox", 0.0, 0.5), ("blue bear", 0.5, 1.0))
FOX, BEAR = (2, 3), (6, 7)  # tokens


def dense(tensors: dict, name: str, weight: torch.Tensor) -> torch.Tensor:
    """A module's weight with the LoRA in it."""
    up, down, alpha = (
        tensors[f"diffusion_model.{name}.{part}"]
        for part in ("lora_up.weight", "lora_down.weight", "alpha")
    )
    return weight + alpha / len(down) * (up.flatten(1) @ down.flatten(1)).view(weight.shape)


def left_of_columns(columns: int, width: int) -> torch.Tensor:
    """The left half of a canvas of `width` pixels in columns of a block, the last one cut off."""
    pixels = (torch.arange(width) < width // 2).float()
    size = 8
    while -(-width // size) > columns:
        size *= 2
    return torch.stack([part.mean() for part in pixels.split(size)])


@pytest.fixture
def halves(model, lora, make_collage, give, with_layers):
    """A collage of two layers, each with a LoRA of its own: the collage and their tensors."""

    def make(size=(96, 80), strength: float = 1.0):
        collage = make_collage(*HALVES, size=size)
        network = model.model.diffusion_model
        tensors = [lora(name, network, seed=seed) for seed, name in enumerate(("a", "b"))]
        layers = [
            give(layer, name, strength)
            for layer, name in zip(collage.layers, ("a", "b"), strict=True)
        ]
        return with_layers(collage, *layers), tensors

    return make


def watched(network, run) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """The first input and output of every linear layer and convolution, by its name."""
    seen, handles = {}, []
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):

            def note(_, args, out, name=name) -> None:
                seen.setdefault(name, (args[0].clone(), out.clone()))

            handles.append(module.register_forward_hook(note))
    run()
    for handle in handles:
        handle.remove()
    return seen


def left_of(name: str, given: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """How much of the left layer each place of a linear layer's input has."""
    if given.ndim < 3:
        return torch.tensor(0.5)
    if "attn2.to_k" in name or "attn2.to_v" in name:
        left = torch.full((2, given.shape[1], 1), 0.5)
        left[1, list(FOX)], left[1, list(BEAR)] = 1.0, 0.0
        return left
    height, width = size
    grids = ((height // 8, width // 8), (-(-height // 16), -(-width // 16)))
    (columns,) = {w for h, w in grids if h * w == given.shape[1]}
    return left_of_columns(columns, width).repeat(given.shape[1] // columns)[:, None]


@pytest.mark.parametrize("size", [(96, 80), (104, 88)], ids=["even", "odd"])
def test_two_layers_are_two_whole_runs_in_every_module(
    model, halves, patch, sample, size: tuple[int, int]
) -> None:
    collage, tensors = halves(size)
    patched, positive, *_ = patch(collage)
    network, cells = model.model.diffusion_model, (size[0] // 8, size[1] // 8)
    seen = watched(network, lambda: sample(patched, positive, steps=1, cells=cells))
    assert len(seen) > 60
    for name, (given, out) in seen.items():
        module = network.get_submodule(name)
        weights = [dense(one, name, module.weight) for one in tensors]
        if given.ndim == 4:
            how = (module.bias, module.stride, module.padding)
            alone = [F.conv2d(given, weight, *how) for weight in weights]
            left = left_of_columns(out.shape[-1], size[1])
        else:
            alone = [F.linear(given, weight, module.bias) for weight in weights]
            left = left_of(name, given, size)
        wanted = left * alone[0] + (1 - left) * alone[1]
        assert_close(out, wanted, atol=1e-4, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}")


def test_both_orders_and_one_by_one(
    halves, patch, sample, reverse_conds, low_memory, monkeypatch
) -> None:
    collage, _ = halves()
    patched, positive, *_ = patch(collage, strength=1.0)
    apart = sample(patched, positive)
    monkeypatch.undo()
    together = sample(patched, positive)
    assert_close(together, apart, **TOLERANCE)
    assert_close(sample(reverse_conds(patched), positive), together, **TOLERANCE)


def test_every_picture_of_a_batch_has_its_own_places(
    pack, model, lora, make_collage, give, with_layers, patch, sample
) -> None:
    lora("a", model.model.diffusion_model)
    (layer,) = make_collage(("red fox", 0.0, 1.0)).layers
    shapes = torch.zeros(2, 96, 80)
    shapes[0, :, :40] = shapes[1, :48] = 1
    given = [with_layers(make_collage(), give(one, "a", 1.0)) for one in _of(layer, shapes)]
    noise = {"batch": 2, "sampler_name": "euler"}
    patched, positive, *_ = patch(given[0])
    found = sample(patched, positive, **noise)
    for number in (0, 1):
        alone, own, *_ = patch(given[1 + number])
        assert_close(found[number], sample(alone, own, **noise)[number], **TOLERANCE)


def _of(layer, shapes: torch.Tensor):
    """The layer with both shapes, and with each."""
    import dataclasses

    pictures = layer.image.expand(len(shapes), -1, -1, -1)
    yield dataclasses.replace(layer, image=pictures, alpha=shapes)
    for shape in shapes:
        yield dataclasses.replace(layer, alpha=shape[None])


def test_the_same_lora_on_two_layers_is_computed_once(
    pack, model, lora, make_collage, give, with_layers, patch, sample
) -> None:
    lora("a", model.model.diffusion_model, rank=4)
    collage = make_collage(*HALVES)
    twice = with_layers(collage, *(give(layer, "a", 0.6) for layer in collage.layers))
    patched, positive, *_ = patch(twice)
    ((own,),) = (m for key, m in patched.additional_models.items() if "loras" in key)
    assert {len(stack.columns) for stack in own.model.stacks} == {4}
    one = make_collage(("red fox and a blue bear", 0.0, 1.0))
    alike, words, *_ = patch(with_layers(one, give(one.layers[0], "a", 0.6)))
    assert_close(sample(patched, positive), sample(alike, words), **TOLERANCE)


def test_the_order_of_loras_is_of_no_account(
    model, lora, whole, patch, loader, sample, encode
) -> None:
    a, b = (lora(name, model.model.diffusion_model, seed=n) for n, name in enumerate("ab"))
    loaded, _ = loader(loader(model, a, 0.5)[0], b, -0.4)
    wanted = sample(loaded, encode())
    for order in ((("a", 0.5), ("b", -0.4)), (("b", -0.4), ("a", 0.3), ("a", 0.2))):
        patched, positive, *_ = patch(whole(*order))
        assert_close(sample(patched, positive), wanted, **TOLERANCE)


def test_beside_load_lora_before_and_after(
    model, lora, whole, patch, loader, sample, encode
) -> None:
    a, b, c = (lora(n, model.model.diffusion_model, seed=s) for s, n in enumerate("abc"))
    before, _ = loader(model, a, 0.4)
    patched, positive, *_ = patch(whole(("b", 0.5)), model=before)
    after, _ = loader(patched, c, 0.3)
    wanted, _ = loader(loader(before, b, 0.5)[0], c, 0.3)
    assert_close(sample(after, positive), sample(wanted, encode()), **TOLERANCE)


def test_beside_the_hosts_own_bypass(tiny, lora, whole, patch, loader, sample, encode) -> None:
    """It puts another `forward` on the same modules, for as long as the model is loaded."""
    import comfy.sd

    model = tiny.tiny_model()  # the host leaves a `forward` of its own on it
    a, b = (lora(name, model.model.diffusion_model, seed=n) for n, name in enumerate("ab"))
    wanted, _ = loader(loader(model, a, 0.4)[0], b, 0.5)
    wanted = sample(wanted, encode())
    patched, positive, *_ = patch(whole(("b", 0.5)), model=model)
    both, _ = comfy.sd.load_bypass_lora_for_models(patched, None, dict(a), 0.4, 0.0)
    assert_close(sample(both, positive), wanted, **TOLERANCE)
    alone, _ = comfy.sd.load_bypass_lora_for_models(model, None, dict(a), 0.4, 0.0)
    loaded, _ = loader(model, a, 0.4)
    assert_close(sample(alone, encode()), sample(loaded, encode()), **TOLERANCE)


def test_conditionings_that_paint_a_part(halves, patch, encode, predict) -> None:
    """It is as if that part were a picture of its own: `crop` says the same of a crop.

    The negative has no words of layers.
    """
    import nodes

    collage, _ = halves()
    patched, positive, *_ = patch(collage)
    x = torch.randn(1, 4, 12, 10, generator=torch.Generator().manual_seed(2))
    conds, part = {"positive": positive, "negative": encode("bad")}, nodes.ConditioningSetArea()
    parts = {name: part.append(cond, 48, 96, 16, 0, 1.0)[0] for name, cond in conds.items()}
    found = predict(patched, parts, x)
    crop = {"x": 16, "y": 0, "width": 48, "height": 96}
    alone, same, *_ = patch(collage, crop=crop)
    wanted = predict(alone, {**conds, "positive": same}, x[..., 2:8])
    for name in conds:
        assert_close(found[name][..., 2:8], wanted[name], **TOLERANCE)


def test_a_tile_is_refused(pack, halves, patch, predict, refused) -> None:
    """The model cannot know where it lies."""
    collage, _ = halves()
    patched, positive, *_ = patch(collage)

    def tiled(apply_model, args):
        return apply_model(args["input"][..., :5], args["timestep"], **args["c"])

    patched.set_model_unet_function_wrapper(tiled)
    x = torch.randn(1, 4, 12, 10)
    said = refused(predict, patched, {"positive": positive}, x)
    assert "asked for a tile of 5 x 12 latent cells" in said


def test_merged_tokens_are_refused(halves, patch, predict, refused) -> None:
    """Another patch that halves the tokens of self-attention, as ToMe does."""
    collage, _ = halves()
    patched, positive, *_ = patch(collage)
    patched.set_model_attn1_patch(lambda q, k, v, _: (q, k[:, ::2], v[:, ::2]))
    x = torch.randn(1, 4, 12, 10)
    said = refused(predict, patched, {"positive": positive}, x)
    assert "60 places arrive at a module of a layer's LoRA" in said


def test_words_that_must_not_show_are_words_of_their_layer(halves, patch, predict) -> None:
    """Those of the left layer have its LoRA in the negative prompt, too."""
    import dataclasses

    collage, tensors = halves()
    left, right = (dataclasses.replace(layer, negative="dog") for layer in collage.layers)
    left = dataclasses.replace(left, negative="old cat")
    patched, _, _, negative = patch(dataclasses.replace(collage, layers=(left, right)))
    regions = negative[0][1]["collage_words"].bias.regions
    x = torch.randn(1, 4, 12, 10, generator=torch.Generator().manual_seed(2))
    network, name = patched.model.diffusion_model, "middle_block.1.transformer_blocks.0.attn2.to_k"
    seen = watched(network, lambda: predict(patched, {"negative": negative}, x))
    (given, out), module = seen[name], network.get_submodule(name)
    for region, own in zip(regions, tensors, strict=True):
        words = given[:, list(region.tokens)]
        wanted = F.linear(words, dense(own, name, module.weight))
        assert_close(out[:, list(region.tokens)], wanted, atol=1e-4, rtol=1e-3)
