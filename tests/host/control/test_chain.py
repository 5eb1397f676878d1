"""Chained with other networks the map weighs this one's outputs and nobody else's."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close


@pytest.fixture
def alone(core_control, record, outputs):
    """What the host adds for one network and one image, without any other."""
    return lambda net, image: outputs(record(core_control(image, net))[0])


@pytest.fixture
def weights_of(weights_by_loop):
    """The map of a collage in the shape of each of a network's outputs."""
    return lambda collage, found: [
        weights_by_loop(collage, (12, 10), tuple(x.shape[-2:])) for x in found
    ]


def test_a_network_before_keeps_its_own_strength(
    control, core_control, record, outputs, make_collage, other, network, alone, weights_of
) -> None:
    collage = make_collage()
    photo = torch.rand(1, 96, 80, 3)
    *both, image = control(collage, network, core_control(photo, other, strength=0.6))
    before, own = alone(other, photo), alone(network, image)
    for x, first, second, w in zip(
        outputs(record(both)[0]), before, own, weights_of(collage, own), strict=True
    ):
        assert_close(x, 0.6 * first + second * w, atol=1e-5, rtol=1e-4)


def test_a_network_after_keeps_its_own_strength(
    control, core_control, record, outputs, make_collage, other, network, alone, weights_of
) -> None:
    collage = make_collage()
    photo = torch.rand(1, 96, 80, 3)
    *first, image = control(collage, network)
    both = core_control(photo, other, first, strength=0.6)
    own, after = alone(network, image), alone(other, photo)
    for x, first, second, w in zip(
        outputs(record(both)[0]), own, after, weights_of(collage, own), strict=True
    ):
        assert_close(x, first * w + 0.6 * second, atol=1e-5, rtol=1e-4)


def test_a_network_is_copied_once_for_each_one_before(control, core_control, make_collage, other):
    """As by the host's own node: positive and negative share a chain, another chain is another."""
    positive, negative = core_control(torch.rand(1, 96, 80, 3), other)
    found = control(make_collage(), conditionings=(positive + negative, negative))[:2]
    first, second, third = (options["control"] for part in found for _, options in part)
    assert first is second is third
    alone = [[positive[0][0], {}]]
    found = control(make_collage(), conditionings=(positive + alone, negative))[:2]
    first, second, third = (options["control"] for part in found for _, options in part)
    assert first is third is not second
    assert first.previous_controlnet is positive[0][1]["control"]
    assert second.previous_controlnet is None
    assert not found[0][0][1]["control_apply_to_uncond"]


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_control_1_in_a_chain_is_the_hosts_sum_to_the_bit(
    tiny, control, core_control, sample, make_collage, network, other, prompts, place
) -> None:
    """With a T2I adapter and two ControlNets, one of which ends before the others."""
    levels = {
        "channel_mult": (1, 2), "num_res_blocks": [2, 2], "transformer_depth": [1] * 4,
        "transformer_depth_output": [1] * 6,
    }  # fmt: skip
    nets = {
        "first": (tiny.tiny_control_net(seed=9, **levels), {"end_percent": 0.5}),
        "middle": (tiny.tiny_adapter(), {"strength": 0.3}),
        "last": (tiny.tiny_control_net(**levels), {"start_percent": 0.2}),
    }
    collage, image = make_collage(1.0, 1.0, whole=True), torch.rand(1, 96, 80, 3)
    mine, hosts = prompts, prompts
    for name, (net, settings) in nets.items():
        hosts = core_control(image, net, hosts, **settings)
        if name == place:
            mine = control(collage, net, mine, control_image=image, **settings)[:2]
        else:
            mine = core_control(image, net, mine, **settings)
    used = _model(tiny, levels)
    assert torch.equal(sample(mine, used, steps=4), sample(hosts, used, steps=4))


def _model(tiny, levels):
    import comfy.model_base
    import comfy.model_patcher
    import comfy.supported_models

    config = comfy.supported_models.SD15({**tiny.UNET, **levels})
    config.unet_config.update(num_heads=-1, num_head_channels=16)
    model = comfy.model_base.BaseModel(config, device=tiny.CPU)
    tiny.randomize(model.diffusion_model, 0)
    return comfy.model_patcher.ModelPatcher(model, load_device=tiny.CPU, offload_device=tiny.CPU)


def test_two_collages_have_a_map_each(
    control, record, outputs, make_collage, other, network, alone, weights_of
) -> None:
    first, second = make_collage(1.0, 0.0), make_collage(0.5, 2.0)
    *half, _ = control(first, other)
    *both, image = control(second, network, half)
    x_first, x_second = alone(other, image), alone(network, image)
    maps = zip(weights_of(first, x_first), weights_of(second, x_first), strict=True)
    for x, a, b, (w_a, w_b) in zip(outputs(record(both)[0]), x_first, x_second, maps, strict=True):
        assert_close(x, a * w_a + b * w_b, atol=1e-5, rtol=1e-4)


def test_masks_that_a_network_has_of_its_own_count_as_well(
    tiny, control, record, outputs, make_collage
) -> None:
    """As those of Advanced-ControlNet, which weighs where the outputs are merged."""
    import comfy.controlnet

    class Masked(comfy.controlnet.ControlNet):
        def copy(self):
            copied = Masked(self.control_model, load_device=tiny.CPU)
            self.copy_to(copied)
            return copied

        def control_merge(self, control, control_prev, output_dtype):
            for x in (x for found in control.values() for x in found):
                x[..., : x.shape[-1] // 2] = 0
            return super().control_merge(control, control_prev, output_dtype)

    net = Masked(tiny.control_network(), load_device=tiny.CPU)
    plain = tiny.tiny_control_net()
    for masked, whole in zip(
        *(outputs(record(control(make_collage(), n))[0]) for n in (net, plain)), strict=True
    ):
        half = whole.shape[-1] // 2
        assert not masked[..., :half].any()
        assert torch.equal(masked[..., half:], whole[..., half:])


def test_positive_and_negative_share_a_network(control, core_control, make_collage, other) -> None:
    """Else the host would sample them one after the other."""
    for conditionings in (control(make_collage()), control(make_collage(), other)):
        (_, positive), (_, negative) = conditionings[0][0], conditionings[1][0]
        assert positive["control"] is negative["control"]
        assert not positive["control_apply_to_uncond"]


def test_the_host_sees_every_network_and_their_memory(
    tiny, control, core_control, make_collage, network, prompts
) -> None:
    """To load them, to keep room for them and to let them go."""
    lora = tiny.tiny_control_lora()
    *first, _ = control(make_collage(), lora)
    *both, _ = control(make_collage(), network, first)
    held = both[0][0][1]["control"]
    assert [m.model for m in held.get_models()] == [network.control_model]
    size = lora.inference_memory_requirements(torch.float32)
    assert size > 0
    assert held.inference_memory_requirements(torch.float32) == size


def test_nothing_is_left_after_sampling(control, sample, make_collage, tiny, other) -> None:
    *first, _ = control(make_collage(), tiny.tiny_control_lora())
    *both, _ = control(make_collage(), other, first)
    before = sample(both)
    held = both[0][0][1]["control"]
    assert held.previous_controlnet.network.control_model is None
    assert held.network.cond_hint is None
    assert held.painter is None
    assert not held.grids
    assert torch.equal(sample(both), before)
