"""ComfyUI and other packs find the network that a LayerControl holds."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close


def test_hooks_of_the_network_are_the_hosts_to_find(tiny, control, make_collage) -> None:
    import comfy.hooks

    net = tiny.tiny_control_net()
    net.extra_hooks = comfy.hooks.HookGroup()
    net.extra_hooks.add(comfy.hooks.TransformerOptionsHook(transformers_dict={}))
    positive, _, _ = control(make_collage(), net)
    held = positive[0][1]["control"]
    assert held.extra_hooks is held.network.extra_hooks is not None
    assert held.get_extra_hooks() == [held.extra_hooks]


def test_a_clone_for_another_device_adds_the_same(
    tiny, model, control, make_collage, prompts
) -> None:
    positive, _, _ = control(make_collage(batch=2))
    held = positive[0][1]["control"]
    clone = held.deepclone_multigpu(tiny.CPU, autoregister=True)
    assert held.get_instance_for_device(tiny.CPU) is clone
    assert clone.network.control_model is not held.network.control_model
    assert clone.network.control_model in [m.model for m in held.get_models()]
    x = torch.randn(2, 4, 12, 10)
    cond = {"c_crossattn": prompts[0][0][0].expand(2, -1, -1)}
    found = []
    for one in (held, clone):
        one.pre_run(model.model, model.model.model_sampling.percent_to_sigma)
        found.append(one.get_control(x, torch.tensor([2.0, 2.0]), cond, 1, {}))
    for mine, theirs in zip(found[0]["output"], found[1]["output"], strict=True):
        assert torch.equal(mine, theirs)
    held.cleanup()
    assert clone.network.cond_hint is None


def test_packs_that_walk_a_chain_find_the_network(control, make_collage, network) -> None:
    """What they read and what they set is the network's, whose strength counts once."""
    settings = {"strength": 0.5, "start_percent": 0.1, "end_percent": 0.7}
    positive, _, image = control(make_collage(), **settings)
    one = positive[0][1]["control"]
    assert torch.equal(one.cond_hint_original, image.movedim(-1, 1))
    assert one.strength == 0.5
    assert one.timestep_percent_range == (0.1, 0.7)
    assert one.control_model is network.control_model
    assert one.compression_ratio == network.compression_ratio
    one.strength = 0.25
    one.cond_hint_original = image.movedim(-1, 1) * 2
    assert one.network.strength == 0.25
    assert torch.equal(one.network.cond_hint_original, image.movedim(-1, 1) * 2)
    assert network.strength == 1.0
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = one.no_such_thing


def test_what_others_set_counts(control, record, outputs, make_collage) -> None:
    whole, half = (control(make_collage()) for _ in range(2))
    half[0][0][1]["control"].strength = 0.5
    found = [outputs(record(made[:2])[0]) for made in (whole, half)]
    for first, second in zip(*found, strict=True):
        assert_close(second, 0.5 * first, atol=1e-5, rtol=1e-4)


def test_a_second_device_gets_a_network_of_its_own(control, make_collage, monkeypatch) -> None:
    """As ComfyUI makes them for multi-GPU sampling; the network is copied once and not twice."""
    import comfy.controlnet

    one, made = control(make_collage())[0][0][1]["control"], []
    copy = comfy.controlnet.ControlNet.copy
    monkeypatch.setattr(
        comfy.controlnet.ControlNet, "copy", lambda self: made.append(copy(self)) or made[-1]
    )
    device = torch.device("cuda", 1)
    clone = one.deepclone_multigpu(device, autoregister=True)
    assert one.get_instance_for_device(device) is clone
    assert one.get_instance_for_device(torch.device("cpu")) is one
    assert made == [clone.network]
    assert clone.network.control_model is not one.network.control_model
    assert clone.network.control_model_wrapped.load_device == device
    assert clone.weights is one.weights
    assert torch.equal(clone.cond_hint_original, one.cond_hint_original)
    assert clone.previous_controlnet is None
    assert not clone.multigpu_clones
    assert clone.network.control_model_wrapped in one.get_models()
