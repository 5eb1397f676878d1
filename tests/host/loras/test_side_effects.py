"""A patched clone leaves the model as it was, in any case, and lives with what the host does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing import assert_close

TOLERANCE: dict[str, Any] = {"atol": 2e-4, "rtol": 1e-3}


def forwards(model) -> list[str]:
    network = model.model.diffusion_model
    return [name for name, one in network.named_modules() if "forward" in vars(one)]


@pytest.fixture
def patched(model, lora, whole, patch):
    lora("a", model.model.diffusion_model)
    return patch(whole(("a", 0.8)))[:2]


def test_nothing_stays_on_the_model(model, patched, sample, encode) -> None:
    before = sample(model, encode())
    found = sample(*patched)
    assert forwards(model) == []
    assert torch.equal(sample(model, encode()), before)
    assert torch.equal(sample(*patched), found)


@pytest.mark.parametrize("kind", ["host", "own"])
def test_nothing_stays_after_an_interrupt(model, patched, sample, encode, kind: str) -> None:
    import comfy.model_management
    from comfy.patcher_extension import WrappersMP

    error = comfy.model_management.InterruptProcessingException if kind == "host" else KeyError
    during = []

    def stop(executor, *args, **kwargs):
        during.append(forwards(model))
        raise error

    clone = patched[0].clone()
    clone.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "stop", stop)
    with pytest.raises(error):
        sample(clone, patched[1])
    assert len(during[0]) > 60
    assert forwards(model) == []


def test_two_patches_in_one_graph(model, lora, whole, patch, loader, sample, encode) -> None:
    """Both act, as two Load LoRAs in a row do, and clones apart from them do not."""
    a, b = (lora(name, model.model.diffusion_model, seed=n) for n, name in enumerate("ab"))
    first, _, *_ = patch(whole(("a", 0.5)))
    second, positive, *_ = patch(whole(("b", 0.4)), model=first)
    wanted, _ = loader(loader(model, a, 0.5)[0], b, 0.4)
    assert_close(sample(second, positive), sample(wanted, encode()), **TOLERANCE)
    alone, _ = loader(model, a, 0.5)
    assert_close(sample(first, encode()), sample(alone, encode()), **TOLERANCE)


def test_the_host_loads_and_counts_what_the_loras_weigh(patched) -> None:
    """Modules of the stacks that the host does not list would never leave the processor."""
    own = stacks_of(patched[0])
    stacks = own.model.stacks
    wanted = sum(part.numel() * 4 for stack in stacks for part in (stack.down, stack.up))
    assert own.model_size() == wanted
    listed = sum(size for _, size, *_ in own._load_list())
    assert listed == wanted


def test_weights_that_stay_where_they_are(tiny, lora, whole, patch, loader, sample, encode) -> None:
    """Low memory: the host casts every weight anew for every call."""
    model = tiny.tiny_model()
    tensors = lora("a", model.model.diffusion_model)
    for module in model.model.diffusion_model.modules():
        if hasattr(module, "comfy_cast_weights"):
            module.comfy_cast_weights = True
    patched, positive, *_ = patch(whole(("a", 0.8)), model=model)
    loaded, _ = loader(model, tensors, 0.8)
    assert_close(sample(patched, positive), sample(loaded, encode()), **TOLERANCE)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_weights(tiny, lora, whole, patch, loader, sample, encode, dtype) -> None:
    """As near to float32 as Load LoRA is."""
    exact = tiny.tiny_model()
    tensors = lora("a", exact.model.diffusion_model)
    half = tiny.tiny_model()
    half.model.diffusion_model.to(dtype)
    half.model.diffusion_model.dtype = dtype
    half.model.manual_cast_dtype = None
    patched, positive, *_ = patch(whole(("a", 0.8)), model=half)
    wanted = sample(loader(exact, tensors, 0.8)[0], encode(), steps=1)
    theirs = sample(loader(half, tensors, 0.8)[0], encode(), steps=1)
    ours = sample(patched, positive, steps=1)
    assert half.model.get_dtype_inference() == dtype
    assert (ours - wanted).abs().mean() < 1.5 * (theirs - wanted).abs().mean() + 1e-3


def test_compiled_once_and_noticed(
    tiny, lora, make_collage, give, with_layers, patch, sample, encode, backend
) -> None:
    from comfy_api.torch_helpers import set_torch_compile_wrapper

    model = tiny.tiny_model()
    lora("a", model.model.diffusion_model)
    collage = make_collage(("red fox", 0.0, 0.5), ("blue bear", 0.5, 1.0))
    fox, bear = collage.layers
    patched, positive, *_ = patch(with_layers(collage, give(fox, "a", 0.8), bear), model=model)

    def compiled(one):
        clone = one.clone()
        clone.model_options["transformer_options"]["optimized_attention_override"] = in_pytorch
        set_torch_compile_wrapper(model=clone, backend=backend, keys=["diffusion_model"])
        return clone

    clone, wanted = compiled(patched), sample(patched, positive, steps=3)
    assert_close(sample(clone, positive, steps=3), wanted, atol=1e-3, rtol=1e-3)
    graphs = backend.graphs
    assert_close(sample(clone, positive, steps=3), wanted, atol=1e-3, rtol=1e-3)
    sample(clone, positive, steps=2, seed=8)
    assert backend.graphs == graphs
    plain = sample(compiled(model), encode(), steps=3)
    assert_close(plain, sample(model, encode(), steps=3), atol=1e-3, rtol=1e-3)


def in_pytorch(_func, *args, **kwargs):
    """ComfyUI's own attention on the CPU asks for free memory, which no graph can hold."""
    from comfy.ldm.modules import attention

    return attention.attention_pytorch(*args, **kwargs)


def test_the_nodes_that_go_on_from_the_patch(pack, tiny, model, whole, patch, lora, encode) -> None:
    """The pack's own sampler and the map of attention."""
    lora("a", model.model.diffusion_model)
    collage = whole(("a", 0.8, 1.0))
    patched, positive, *_ = patch(collage, strength=1.0)
    inputs = {
        "vae": tiny.tiny_vae(), "negative": encode("bad"), "seed": 5, "steps": 2, "cfg": 4.0,
        "sampler_name": "euler", "scheduler": "normal", "base_noise": 0.8, "feather": 0.0,
    }  # fmt: skip
    node = pack.nodes.sampling.PerLayerNoiseKSampler
    latent, *_ = node.execute(model=patched, collage=collage, positive=positive, **inputs).args
    plain, words, *_ = patch(whole(), strength=1.0)
    other, *_ = node.execute(model=plain, collage=collage, positive=words, **inputs).args
    assert (latent["samples"] - other["samples"]).abs().max() > 0.05
    shown = pack.nodes.attention_map.CollageAttentionMap
    maps, report = shown.execute(patched, collage, latent, 2, 0).args
    assert maps.isfinite().all()
    assert report
    assert forwards(model) == []


def test_a_model_of_its_own_for_the_negative(tiny, model, patched, encode) -> None:
    """ComfyUI asks it with the options of the positive's model, and it has no LoRA of a layer."""
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import DualModelGuider

    x, kept = torch.randn(1, 4, 12, 10), {}

    class Once(comfy.samplers.Sampler):
        def sample(self, *args: Any, **_: Any) -> Any:
            guider, sigmas, extra_args = args[:3]
            level = sigmas[0].expand(len(x))
            kept["out"] = guider.predict_noise(x, level, extra_args["model_options"])
            return x

    def asked(own, positive, cfg: float = 4.0) -> torch.Tensor:
        node: Any = DualModelGuider
        guider = node.execute(own, positive, cfg, tiny.tiny_model(seed=9), encode("bad")).args[0]
        guider.sample(torch.zeros_like(x), x, Once(), torch.tensor([0.7, 0.0]), seed=1)
        return kept["out"]

    own, words = patched
    positive, plain = asked(own, words, 1.0), asked(model, encode(), 1.0)
    assert (positive - plain).abs().max() > 0.01
    negative = (asked(model, encode()) - 4 * plain) / (1 - 4)
    assert_close(asked(own, words), negative + 4 * (positive - negative), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("first", ["patch", "split"])
@pytest.mark.parametrize("kind", ["lora", "lokr"])
def test_a_model_for_another_gpu(tiny, lora, whole, patch, sample, first, kind: str) -> None:
    """ComfyUI makes one for MultiGPU CFG Split, which stands behind the patch or before it."""
    model = tiny.tiny_model()
    model.cached_patcher_init = (tiny.tiny_model, ())  # as its loaders leave it
    lora("a", model.model.diffusion_model, kind=kind)
    if first == "split":
        model.set_additional_models("multigpu", [model.deepclone_multigpu(tiny.CPU)])
    patched, positive, *_ = patch(whole(("a", 0.8)), model=model)
    other = patched.deepclone_multigpu(tiny.CPU) if first == "patch" else None
    if other is None:
        patched.match_multigpu_clones()
        (other,) = patched.get_additional_models_with_key("multigpu")
        patched.remove_additional_models("multigpu")
    used = [stacks_of(one) for one in (patched, other)]
    places = [{part.data_ptr() for part in one.model.parameters()} for one in used]
    assert places[0].isdisjoint(places[1])
    assert other.model is not model.model
    assert torch.equal(sample(other, positive), sample(patched, positive))


def stacks_of(patched):
    """The LoRAs beside a patched model, as the host loads them."""
    (own,) = patched.get_nested_additional_models()
    return own
