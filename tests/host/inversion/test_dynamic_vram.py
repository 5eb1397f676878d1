"""Copies of models that ComfyUI keeps with dynamic VRAM, its set-up on NVIDIA cards.

ComfyUI's own ModelPatcherDynamic and HostBuffer, led to believe in a GPU: the native library is
replaced by one that only keeps account, the device is the CPU.
"""

from __future__ import annotations

import gc
import itertools

import pytest
import torch

CPU = torch.device("cpu")
CROSS = "diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight"


class Native:
    """In place of comfy-aimdo's library: which pointers were given out, which were freed."""

    def __init__(self) -> None:
        self.pointers = itertools.count(1000)
        self.freed: list[int] = []

    def hostbuf_allocate(self, *_) -> int:
        return next(self.pointers)

    def hostbuf_free(self, pointer: int) -> None:
        self.freed.append(pointer)


@pytest.fixture
def native(monkeypatch):
    import comfy.memory_management
    import comfy.model_patcher
    import comfy_aimdo.host_buffer

    class OnTheCPU(comfy.model_patcher.ModelPatcherDynamic):
        def __new__(cls, *_, **__):
            return object.__new__(cls)

    counted = Native()
    monkeypatch.setattr(comfy_aimdo.host_buffer, "lib", counted)
    monkeypatch.setattr(comfy.memory_management, "aimdo_enabled", True)
    monkeypatch.setattr(comfy.model_patcher, "CoreModelPatcher", OnTheCPU)
    yield counted
    gc.collect()  # what is left of it is freed here, and not by the real library


@pytest.fixture
def dynamic(model, native, tiny):
    """A MODEL computed in one dtype, whose weights have the dtype of their file."""
    import comfy.model_base
    import comfy.model_patcher

    def make(computed=torch.float16, file=torch.float32):
        config = tiny.config()
        config.unet_config["dtype"] = computed
        made = comfy.model_base.BaseModel(config, device=CPU)
        patcher = comfy.model_patcher.CoreModelPatcher(made, CPU, CPU)
        weights = model.model.diffusion_model.state_dict()
        made.load_model_weights({k: v.to(file) for k, v in weights.items()}, assign=True)
        assert all(weight.dtype == file for weight in made.diffusion_model.parameters())
        return patcher

    return make


@pytest.fixture
def dynamic_clip(clip, native, tiny):
    """The same of a CLIP."""
    import comfy.sd
    import comfy.sd1_clip
    import comfy.supported_models_base

    def make(computed=torch.float16, file=torch.float32):
        weights = clip.cond_stage_model.state_dict()
        return comfy.sd.CLIP(
            comfy.supported_models_base.ClipTarget(
                comfy.sd1_clip.SD1Tokenizer, comfy.sd1_clip.SD1ClipModel
            ),
            model_options={"clip_l_model_config": tiny.CLIP_TEXT, "dtype": computed},
            state_dict={key: value.to(file) for key, value in weights.items()},
            parameters=1,
        )

    return make


def buffers() -> set:
    """The native pointers of all HostBuffers there are, each as often as it is owned."""
    from comfy_aimdo.host_buffer import HostBuffer

    owned = [held._ptr for held in gc.get_objects() if type(held) is HostBuffer]
    assert len(owned) == len(set(owned)), "one native buffer has two owners"
    return set(owned)


@pytest.mark.parametrize("kind", ["model", "clip"])
def test_no_copy_owns_or_frees_a_native_buffer(dynamic, dynamic_clip, copies, native, kind):
    patcher = dynamic() if kind == "model" else dynamic_clip().patcher
    patcher.partially_load(CPU)
    assert any(hasattr(module, "_pin_state") for module in patcher.model.modules())
    gc.collect()
    before, freed = buffers(), [*native.freed]
    copied = copies.trainable_copy(patcher, "here")
    assert len(before) >= 4
    assert buffers() == before
    del copied
    gc.collect()
    assert native.freed == freed
    del patcher
    gc.collect()
    assert set(native.freed) - set(freed) == before
    assert len(native.freed) == len(set(native.freed))


def test_what_a_next_version_hangs_on_modules_is_left_behind(dynamic, copies, native):
    from comfy_aimdo.host_buffer import HostBuffer

    patcher = dynamic()
    patcher.model.next_pins = {"somewhere": [(HostBuffer(0), 1)]}
    for module in patcher.model.modules():
        module._next_handle = HostBuffer(0)
    before = buffers()
    copied = copies.trainable_copy(patcher, "here")
    assert buffers() == before
    assert not hasattr(copied, "next_pins")
    assert not any(hasattr(module, "_next_handle") for module in copied.modules())


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize(
    ("computed", "file"), [(torch.float16, torch.float32), (torch.float32, torch.float16)]
)
def test_a_file_of_another_precision_trains(part, copies, dynamic, loaded, computed, file):
    patcher = dynamic(computed, file)
    if loaded:
        patcher.partially_load(CPU)
    with copies.gradients():
        denoiser = part("nodes.host.inversion.networks").TrainableDenoiser(patcher, "here")
        numbers = torch.Generator().manual_seed(1)
        x, features = (
            torch.randn(shape, generator=numbers) for shape in ((1, 4, 8, 8), (1, 77, 64))
        )
        leaf = features.requires_grad_()
        predicted = denoiser(x, torch.tensor([2.0]), (leaf, None))
        predicted.square().sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.isfinite().all()
    assert leaf.grad.abs().max() > 0
    assert {weight.dtype for weight in denoiser.model.diffusion_model.parameters()} == {computed}
    patcher.partially_load(CPU)
    with torch.no_grad():
        expected = patcher.model.apply_model(x, torch.tensor([2.0]), c_crossattn=features)
    torch.testing.assert_close(predicted.detach(), expected, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("file", [torch.float16, torch.float32])
def test_text_of_a_file_of_another_precision_trains(
    copies, networks, clip, dynamic_clip, loaded, file
):
    other = dynamic_clip(torch.float16, file)
    if loaded:
        other.patcher.partially_load(CPU)
    tokens = clip.tokenize("a photo of x")["l"][0]
    word = torch.randn(64, generator=torch.Generator().manual_seed(9))
    with copies.gradients():
        leaf = word.clone().requires_grad_()
        own = [(leaf if place == 3 else token, w) for place, (token, w) in enumerate(tokens)]
        text = networks.TrainableTextEncoder(other, "here")
        features, _ = text.encode({"l": [own]})
        features.square().sum().backward()
        assert leaf.grad is not None
        assert leaf.grad.abs().max() > 0
        expected, _ = networks.TrainableTextEncoder(clip, "here").encode({"l": [own]})
    torch.testing.assert_close(features, expected, rtol=2e-2, atol=2e-2)
    layers = text.model.clip_l.transformer.text_model.encoder.layers
    assert {weight.dtype for weight in layers.parameters()} == {torch.float16}


@pytest.mark.parametrize(
    ("computed", "file"), [(torch.float16, torch.float32), (torch.float32, torch.float16)]
)
def test_the_room_that_is_asked_for_is_that_of_the_copies(
    copies, dynamic, dynamic_clip, computed, file
):
    for patcher in (dynamic(computed, file), dynamic_clip(computed, file).patcher):
        copied = copies.trainable_copy(patcher, "here")
        held = [*copied.parameters(), *copied.buffers()]
        assert copies.copied_size(patcher) == sum(tensor.nbytes for tensor in held)
        assert copies.copied_size(patcher) != patcher.model_size()


def test_patches_are_worked_into_the_precision_of_the_model(copies, dynamic):
    patcher = dynamic()
    before = patcher.model.state_dict()[CROSS].clone()
    patcher.add_patches({CROSS: ("diff", (torch.ones_like(before),))}, 0.5)
    copied = copies.trainable_copy(patcher, "here").state_dict()[CROSS]
    assert copied.dtype == torch.float16
    torch.testing.assert_close(copied.float(), before + 0.5, rtol=1e-3, atol=1e-3)
    assert torch.equal(patcher.model.state_dict()[CROSS], before)


def test_a_whole_training_on_such_models(trainer, dynamic, dynamic_clip, settings, native):
    model, clip = dynamic(), dynamic_clip()
    model.partially_load(CPU)
    freed = [*native.freed]
    one = trainer(model=model, clip=clip, settings=settings(steps=1))
    one.step()
    assert one.progress.losses[0] == pytest.approx(one.progress.losses[0])
    del one
    gc.collect()
    assert native.freed == freed
