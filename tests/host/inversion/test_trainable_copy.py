"""Copies carry the patches, take gradients whatever their weights are, and leave all as it was."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

CROSS = "diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight"


@pytest.fixture
def denoised(part):
    """The prediction of a copy for one picture and these text features."""

    def predict(model, features: torch.Tensor) -> torch.Tensor:
        denoiser = part("nodes.host.inversion.networks").TrainableDenoiser(model, "here")
        x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
        return denoiser(x, torch.tensor([2.0]), (features, None))

    return predict


def gradient(copies, denoised, model, dtype=torch.float32) -> torch.Tensor:
    with copies.gradients():
        features = torch.ones(1, 77, 64, dtype=dtype, requires_grad=True)
        denoised(model, features).float().square().sum().backward()
        assert features.grad is not None
        return features.grad


def test_weights_of_the_compute_dtype_from_inference_mode_take_gradients(copies, denoised, tiny):
    model = tiny.tiny_model()  # made in inference mode, float32 computed in float32
    assert all(weight.is_inference() for weight in model.model.parameters())
    found = gradient(copies, denoised, model)
    assert found.isfinite().all()
    assert found.abs().max() > 0


def test_half_weights_computed_in_half_take_gradients(copies, denoised, tiny):
    model = tiny.tiny_model()
    model.model.diffusion_model.half()
    model.model.diffusion_model.dtype = torch.float16
    assert gradient(copies, denoised, model, torch.float16).isfinite().all()


def test_the_text_encoders_gradient_is_that_of_finite_differences(copies, networks, clip):
    tokens = clip.tokenize("a photo of x")["l"][0]
    with copies.gradients():
        text = networks.TrainableTextEncoder(clip, "here")
        numbers = torch.Generator().manual_seed(9)
        word, across = (torch.randn(64, generator=numbers) for _ in range(2))
        probe = torch.randn(77, 64, generator=numbers)

        def value(vector: torch.Tensor) -> torch.Tensor:
            own = [(vector if place == 3 else token, w) for place, (token, w) in enumerate(tokens)]
            return (text.encode({"l": [own]})[0] * probe).double().sum()

        leaf = word.clone().requires_grad_()
        value(leaf).backward()
        with torch.no_grad():
            difference = value(word + 0.005 * across) - value(word - 0.005 * across)
    assert leaf.grad is not None
    assert abs(difference) > 1e-3
    assert (leaf.grad @ across).item() == pytest.approx(difference.item() / 0.01, rel=5e-3)


def test_the_text_encoders_gradient_is_that_of_one_that_keeps_all_it_overwrites(
    copies, networks, clip
):
    """Torch's own way round adding in place, which costs every operation something."""
    tokens = clip.tokenize("(a photo:1.3) of x")["l"][0]
    word = torch.randn(64, generator=torch.Generator().manual_seed(9))

    def found(encoder) -> torch.Tensor:
        leaf = word.clone().requires_grad_()
        own = [(leaf if place == 3 else token, w) for place, (token, w) in enumerate(tokens)]
        encoder.encode_token_weights({"l": [own]})[0].square().sum().backward()
        assert leaf.grad is not None
        return leaf.grad

    with copies.gradients():
        ours = found(networks.TrainableTextEncoder(clip, "here").model)
        with torch.autograd.graph.allow_mutation_on_saved_tensors():
            assert torch.equal(ours, found(copies.trainable_copy(clip.patcher, "here")))


def test_the_copy_has_the_lora_and_the_shared_model_has_not(copies, denoised, tiny):
    model, patched = (tiny.tiny_model() for _ in range(2))
    change = torch.randn(patched.model.state_dict()[CROSS].shape)
    patched.add_patches({CROSS: ("diff", (change,))}, 0.5)
    before = patched.model.state_dict()[CROSS].clone()
    copied = copies.trainable_copy(patched, "here").state_dict()[CROSS]
    torch.testing.assert_close(copied, before + 0.5 * change)
    assert torch.equal(patched.model.state_dict()[CROSS], before)
    features = torch.randn(1, 77, 64)
    assert not torch.equal(denoised(model, features), denoised(patched, features))


def test_a_patch_that_another_clone_has_loaded_is_not_in_the_copy(copies, tiny):
    model = tiny.tiny_model()
    before = model.model.state_dict()[CROSS].clone()
    other = model.clone()
    other.add_patches({CROSS: ("diff", (torch.ones_like(before),))})
    other.patch_model(torch.device("cpu"))
    assert not torch.equal(model.model.state_dict()[CROSS], before)
    assert torch.equal(copies.trainable_copy(model, "here").state_dict()[CROSS], before)
    other.unpatch_model()


def test_a_copy_predicts_as_the_model_does(denoised, model):
    features = torch.randn(1, 77, 64, generator=torch.Generator().manual_seed(2))
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    expected = model.model.apply_model(x, torch.tensor([2.0]), c_crossattn=features)
    torch.testing.assert_close(denoised(model, features), expected, rtol=1e-4, atol=1e-4)


def test_another_schedule_is_copied_too(copies, tiny):
    import comfy.model_sampling

    model = tiny.tiny_model().clone()
    schedule = comfy.model_sampling.ModelSamplingDiscrete(model.model.model_config, zsnr=True)
    model.add_object_patch("model_sampling", schedule)
    copied = copies.trainable_copy(model, "here").model_sampling
    assert copied is not schedule
    torch.testing.assert_close(copied.sigmas, schedule.sigmas)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_nothing_global_is_left_behind(copies, error):
    def state() -> list:
        kind, keys, *place = np.random.get_state(legacy=True)
        numpy = [kind, np.asarray(keys).tolist(), *place]
        modes = [torch.is_inference_mode_enabled(), torch.is_grad_enabled()]
        return [torch.get_rng_state().tolist(), numpy, random.getstate(), *modes]

    before = state()
    try:
        with copies.same_random_states(), copies.gradients():
            torch.rand(3), np.random.rand(), random.random()
            if error:
                raise error
    except (ValueError, KeyboardInterrupt):
        pass
    assert state() == before


def test_quantised_weights_are_refused(pack, copies, tiny):
    model = tiny.tiny_model()
    weight = torch.nn.Parameter(torch.ones(3, 3, dtype=torch.int8), requires_grad=False)
    model.model.diffusion_model.middle_block[1].proj_in.weight = weight
    with pytest.raises(pack.collage_core.errors.CollageError, match=r"here: .*quantised .*int8"):
        copies.trainable_copy(model, "here")


def test_a_model_that_others_change_while_it_runs_is_refused(pack, copies, tiny):
    from comfy.model_patcher import PatcherInjection

    model = tiny.tiny_model()
    injection = PatcherInjection(inject=lambda _: None, eject=lambda _: None)
    model.set_injections("other", [injection])
    with pytest.raises(pack.collage_core.errors.CollageError, match="while it runs"):
        copies.trainable_copy(model, "here")


def test_a_method_that_others_have_replaced_is_refused(pack, copies, tiny):
    model = tiny.tiny_model()
    block = model.model.diffusion_model.middle_block[1]
    block.forward = lambda *args, **_: args[0]
    match = "while it runs .SpatialTransformer.forward., which a copy"
    with pytest.raises(pack.collage_core.errors.CollageError, match=match):
        copies.trainable_copy(model, "here")


def test_what_torch_compile_has_wrapped_is_copied_unwrapped(copies, tiny, denoised):
    model = tiny.tiny_model()
    features = torch.randn(1, 77, 64, generator=torch.Generator().manual_seed(2))
    expected = denoised(model, features)
    compiled = model.clone()
    wrapped = torch.compile(model.model.diffusion_model, backend="eager")
    compiled.add_object_patch("diffusion_model", wrapped)
    assert torch.equal(denoised(compiled, features), expected)
