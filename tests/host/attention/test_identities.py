"""What must be the unpatched model to the bit, and what a patch must not touch."""

from __future__ import annotations

import pytest
import torch


@pytest.mark.parametrize(
    "inputs",
    [
        {"strength": 0.0},
        {"start_percent": 1.0},
        {"end_percent": 0.0},
        {"start_percent": 0.6, "end_percent": 0.4},
    ],
)
def test_no_bias_is_the_unpatched_model(make_collage, patch, sample, model, encode, inputs) -> None:
    patched, positive, _ = patch(make_collage(), **inputs)
    assert torch.equal(sample(patched, positive), sample(model, encode()))


def test_another_positive_is_sampled_unpatched(make_collage, patch, sample, model, encode) -> None:
    patched, _, _ = patch(make_collage())
    assert torch.equal(sample(patched, encode()), sample(model, encode()))


def test_hidden_layers_take_no_part(make_collage, patch, sample, model, encode, pack) -> None:
    core = pack.collage_core.collage.collage
    collage = make_collage()
    ghost = core.Layer(
        image=torch.ones(1, 128, 128, 3), alpha=torch.ones(1, 128, 128), text="table", visible=False
    )
    patched, positive, _ = patch(collage)
    same, words, report = patch(collage.with_layers((*collage.layers, ghost)))
    assert torch.equal(sample(same, words), sample(patched, positive))
    assert report.startswith("2 of 3 layers steer 4 of 77 tokens")
    nobody, alone, report = patch(collage.with_layers((ghost,)))
    assert torch.equal(sample(nobody, alone), sample(model, encode()))
    assert "! No layer is shown: every word acts everywhere." in report


def test_model_and_collage_given_are_as_before(make_collage, patch, sample, model, encode) -> None:
    options = model.model_options
    transformer_options = {**options["transformer_options"]}
    wrappers = {kind: {**keyed} for kind, keyed in model.wrappers.items()}
    collage = make_collage()
    masks = collage.composite.visible_alpha.clone()
    before = sample(model, encode())
    patched, positive, _ = patch(collage)
    sample(patched, positive)
    assert model.model_options is options
    assert options["transformer_options"] == transformer_options
    assert {kind: {**keyed} for kind, keyed in model.wrappers.items()} == wrappers
    assert not model.attachments
    assert torch.equal(collage.composite.visible_alpha, masks)
    assert torch.equal(sample(model, encode()), before)


def test_two_clones_do_not_see_each_other(make_collage, patch, sample) -> None:
    one, mine, _ = patch(make_collage())
    before = sample(one, mine)
    other, theirs, _ = patch(make_collage(attract=2.0))
    assert (sample(other, theirs) - before).abs().max() > 1e-2
    assert torch.equal(sample(one, mine), before)


def test_patching_twice_acts_once(make_collage, patch, sample) -> None:
    collage = make_collage()
    once, positive, _ = patch(collage)
    twice, again, _ = patch(collage, model=once)
    expected = sample(once, positive)
    assert torch.equal(sample(twice, again), expected)
    assert torch.equal(sample(twice, positive), expected)


def test_a_lora_before_or_after_the_patch_keeps_working(make_collage, patch, sample, model) -> None:
    key = "diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    lora = {key: ("diff", (torch.full_like(model.model.state_dict()[key], 0.05),))}
    collage = make_collage()
    patched, positive, _ = patch(collage)
    plain = sample(patched, positive)
    changed = model.clone()
    assert changed.add_patches(lora, 1.0) == [key]
    before, words, _ = patch(collage, model=changed)
    assert patched.add_patches(lora, 1.0) == [key]
    expected = sample(before, words)
    assert torch.equal(sample(patched, positive), expected)
    assert (expected - plain).abs().max() > 1e-3


def test_cancelling_leaves_nothing_behind(make_collage, patch, sample, model, encode) -> None:
    import comfy.model_management

    def interrupted(*_):
        raise comfy.model_management.InterruptProcessingException

    patched, positive, _ = patch(make_collage())
    before, unpatched = sample(patched, positive), sample(model, encode())
    stopped = patched.clone()
    stopped.set_model_attn2_patch(interrupted)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        sample(stopped, positive)
    assert torch.equal(sample(patched, positive), before)
    assert torch.equal(sample(model, encode()), unpatched)
