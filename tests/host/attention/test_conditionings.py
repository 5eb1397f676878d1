"""Conditionings on their way to the sampler: combined, cut, appended to, mixed, set to zero."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from torch.testing import assert_close


def steered(paper, spy) -> list[tuple[int, bool]]:
    """Every row of every call, sorted: 0 or 1 for positive or negative, is it biased."""
    return sorted(
        (number, row)
        for call in spy.calls
        for number, rows in paper.steered(call).items()
        for row in rows
    )


def test_another_positive_is_left_alone(paper, make_collage, patch, sample, spy, encode) -> None:
    patched, positive, _ = patch(make_collage())
    sample(spy.follow(patched), [*encode(), *positive], steps=1)
    assert steered(paper, spy) == [(0, False), (0, True), (1, False)]


def test_two_collages_each_steer_their_own_words(
    paper, make_collage, patch, sample, spy, model
) -> None:
    first, second = make_collage(), make_collage(attract=0.0, repel=2.0)
    _, one, _ = patch(first)
    patched, two, _ = patch(second)
    sample(spy.follow(patched), [*one, *two], steps=1)
    assert steered(paper, spy) == [(0, True), (0, True), (1, False)]
    (call,) = spy.calls
    for block in call["blocks"]:
        for row, collage in ((2, first), (1, second)):
            masks, _ = paper.masks_of(block, collage)
            wanted = paper.attention(block, row, masks, collage, paper.factor(call["sigma"]))
            assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("box", [(6, 4, 3, 2), (8, 8, 8, 2)])
def test_an_area_is_given_its_part_of_the_masks(
    paper, make_collage, patch, sample, spy, box
) -> None:
    """The host samples an area as a picture of its own, cut off at the edge of the whole."""
    import nodes

    height, width, top, left = box
    collage = make_collage()
    patched, positive, _ = patch(collage)
    set_area = nodes.ConditioningSetArea().append
    (positive,) = set_area(positive, width * 8, height * 8, left * 8, top * 8, 1.0)
    sample(spy.follow(patched), positive, steps=1)
    assert steered(paper, spy) == [(0, True), (1, False), (1, False)]
    call = next(call for call in spy.calls if 0 in call["rows"])
    row = call["rows"].index(0)
    cut = [m[top : top + height, left : left + width] for m in paper.latent_masks(collage)]
    for block in call["blocks"]:
        masks = [paper.shrink(m, block["grid"], -(-width // block["grid"][1])) for m in cut]
        wanted = paper.attention(block, row, masks, collage, paper.factor(call["sigma"]))
        assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)


def test_an_area_of_the_negative_gives_the_positive_one(
    paper, make_collage, patch, sample, spy, encode
) -> None:
    import nodes

    patched, positive, _ = patch(make_collage())
    (negative,) = nodes.ConditioningSetArea().append(encode("bad"), 64, 64, 0, 0, 1.0)
    sample(spy.follow(patched), positive, negative=negative, steps=1)
    assert steered(paper, spy) == [(0, True), (0, True), (1, False)]


def test_an_average_is_refused_by_name(pack, make_collage, patch, sample, encode) -> None:
    import nodes

    patched, positive, _ = patch(make_collage())
    average = nodes.ConditioningAverage().addWeighted
    (mixed,) = average(positive, encode("rain"), 0.5)
    with pytest.raises(pack.collage_core.errors.CollageError, match="ConditioningAverage"):
        sample(patched, mixed, steps=1)
    (whole,) = average(positive, encode("rain"), 1.0)
    assert torch.equal(sample(patched, whole, steps=1), sample(patched, positive, steps=1))


@pytest.mark.parametrize("first", ["another collage", "the same", "a plain prompt"])
def test_words_behind_others_are_refused(pack, make_collage, patch, sample, encode, first) -> None:
    """ConditioningConcat keeps the dictionary of the first only."""
    import nodes

    collage = make_collage()
    patched, positive, _ = patch(collage)
    _, other, _ = patch(make_collage(prompt="near a blue bear sits a red fox"))
    before = {"another collage": other, "the same": positive, "a plain prompt": encode("rain")}
    concat = nodes.ConditioningConcat().concat
    (second,) = concat(before[first], positive)
    (third,) = concat(concat(encode("snow"), encode("rain"))[0], positive)
    for mixed in (second, third, [*positive, *third]):
        with pytest.raises(pack.collage_core.errors.CollageError, match="stand behind those of an"):
            sample(patched, mixed, steps=1)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_multiplied_words_are_refused(pack, make_collage, patch, sample, factor) -> None:
    import nodes

    patched, positive, _ = patch(make_collage())
    (scaled,) = nodes.ConditioningMultiply().multiply(positive, factor)
    with pytest.raises(pack.collage_core.errors.CollageError, match="features were changed"):
        sample(patched, scaled, steps=1)


def test_words_that_were_mixed_into_another_prompt(
    pack, tiny, make_collage, patch, sample, encode, caplog
) -> None:
    """Nothing in the mix tells: our sampler wants words, with the host's the log says it."""
    import nodes

    collage = make_collage()
    patched, positive, _ = patch(collage)
    sample(patched, positive)
    assert "words act everywhere" not in caplog.text
    (mixed,) = nodes.ConditioningAverage().addWeighted(encode("rain"), positive, 0.5)
    sample(patched, mixed, steps=3)
    assert caplog.text.count("words act everywhere") == 1
    node = pack.nodes.sampling.PerLayerNoiseKSampler
    with pytest.raises(pack.collage_core.errors.CollageError, match="this conditioning does not"):
        node.execute(
            model=patched, collage=collage, vae=tiny.tiny_vae(), positive=mixed,
            negative=encode("bad"), seed=1, steps=1, cfg=1.0, sampler_name="euler",
            scheduler="normal", base_noise=1.0, feather=0.0,
        )  # fmt: skip


def test_the_hosts_nodes_for_properties(paper, make_collage, patch, sample, spy, encode) -> None:
    from comfy_extras import nodes_hooks as hooks

    import nodes

    patched, positive, _ = patch(make_collage())
    mask = torch.ones(1, 96, 80)
    (masked,) = nodes.ConditioningSetMask().append(positive, mask, "default", 1.0)
    (stronger,) = nodes.ConditioningSetAreaStrength().append(positive, 0.5)
    (bounded,) = hooks.ConditioningSetProperties().set_properties(positive, 1.0, "default", mask)
    combine = hooks.ConditioningSetDefaultAndCombine().set_default_and_combine
    (default,) = combine(
        nodes.ConditioningSetMask().append(encode(), mask / 2, "default", 1.0)[0], positive
    )
    for conditioning in (masked, stronger, bounded, default):
        sample(spy.follow(patched), conditioning, steps=1)
        assert (0, True) in steered(paper, spy)
        assert (1, True) not in steered(paper, spy)


def test_zeros_made_of_our_positive_are_a_negative(paper, make_collage, patch, sample, spy) -> None:
    import nodes

    patched, positive, _ = patch(make_collage())
    (negative,) = nodes.ConditioningZeroOut().zero_out(positive)
    sample(spy.follow(patched), positive, negative=negative, steps=1)
    assert steered(paper, spy) == [(0, True), (1, False)]


def test_a_part_of_the_steps(paper, make_collage, patch, sample, spy, encode) -> None:
    import nodes

    patched, positive, _ = patch(make_collage())
    set_range = nodes.ConditioningSetTimestepRange().set_range
    (early,), (late,) = set_range(positive, 0.0, 0.5), set_range(encode(), 0.5, 1.0)
    sample(spy.follow(patched), early + late, steps=4)
    found = [paper.steered(call)[0] for call in spy.calls]
    assert found[0] == [True]
    assert found[-1] == [False]


def test_a_controlnet_hint_on_the_positive(paper, make_collage, patch, sample, spy) -> None:
    import comfy.controlnet

    class Hint(comfy.controlnet.ControlBase):
        def get_control(self, *_):
            return {"input": [], "middle": [torch.full((1, 64, 6, 5), 0.1)], "output": []}

        def get_models(self):
            return []

        def copy(self):
            return self

    patched, positive, _ = patch(make_collage())
    hinted = [[tensor, {**options, "control": Hint()}] for tensor, options in positive]
    samples = sample(spy.follow(patched), hinted, steps=1)
    assert steered(paper, spy) == [(0, True), (1, False)]
    assert not torch.equal(samples, sample(patched, positive, steps=1))


def test_the_bias_stays_with_its_text_when_the_host_copies_an_entry(
    make_collage, patch, pack, model
) -> None:
    """To give another prompt an entry's area, ComfyUI copies the entry with that prompt's text."""
    words = pack.nodes.host.attention.conditioning
    _, positive, _ = patch(make_collage())
    features, options = positive[0]
    entry = {**options, "cross_attn": features, "model_conds": {}, "uuid": 1}
    guider = SimpleNamespace(conds={"positive": [entry]}, model_patcher=model)
    seen, handed_on = {}, []

    class Outer:
        class_obj = guider

        def __call__(self, *_):
            (kept,) = guider.conds["positive"]
            text = {"c_crossattn": SimpleNamespace(cond=features.clone())}
            kept["model_conds"] = {**kept["model_conds"], **text}
            other = {"c_crossattn": SimpleNamespace(cond=features + 1)}
            copied = {**kept, "model_conds": other}
            conds, x = [[kept], [copied]], torch.zeros(1, 4, 16, 16)
            words.route_biases(executor, None, conds, x, None, {})

    def executor(model, conds, x_in, timestep, model_options):
        seen.update(model_options["transformer_options"][words.KEY])
        handed_on.extend(conds)

    before = pack.nodes.host.attention.before_sampling
    before.check_before_sampling(Outer(), None, torch.zeros(1, 4, 16, 16))
    assert list(seen) == [(0, 1)]
    assert all(words.KEY not in entry["model_conds"] for cond in handed_on for entry in cond)


def test_learned_words_are_read_from_the_layer_without_any_file(
    make_collage, patch, pack, tiny, clip, monkeypatch
) -> None:
    monkeypatch.setattr(clip.tokenizer.clip_l, "embedding_size", tiny.CONTEXT)
    collage = make_collage()
    vectors = {"l": torch.randn(2, tiny.CONTEXT, generator=torch.Generator().manual_seed(3))}
    learned = pack.collage_core.collage.layer.Embedding(name="no_such_file", vectors=vectors)
    fox, bear = collage.layers
    carrying = collage.with_layers((dataclasses.replace(fox, embedding=learned), bear))
    _, positive, report = patch(carrying)
    assert "tokens 2 learned, 3 learned, 4 red, 5 fox" in report
    other = dataclasses.replace(learned, vectors={"l": vectors["l"] * 2})
    other = collage.with_layers((dataclasses.replace(fox, embedding=other), bear))
    assert not torch.equal(patch(other)[1][0][0], positive[0][0])
