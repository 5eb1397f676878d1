"""The map is the model's own attention, as far as the patch lets it."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.testing import assert_close


def capture(model, pack):
    """A clone whose blocks keep (q, k, heads, block size) of every call of cross-attention."""
    seen = []

    def keep(q, k, v, extra_options):
        heads, size = extra_options["n_heads"], tuple(extra_options["activations_shape"][-2:])
        seen.append((q, k, heads, size))
        return pack.nodes.host.attention.block._plain(q, k, v, extra_options)

    watched = model.clone()
    for name, number, index in pack.nodes.host.models.families.block_keys(
        model.model.diffusion_model
    ):
        watched.set_model_attn2_replace(keep, name, number, index)
    return watched, seen


def plain_attention(q, k, heads, masks, regions, strength):
    """[B, R, N]: the paper's formula and a softmax over the whole tensor; masks [R, N]."""
    q, k = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k))
    scores = q @ k.mT / q.shape[-1] ** 0.5
    biased = scores.clone()
    for region, mask in zip(regions, masks, strict=True):
        for token in region.tokens:
            peak = scores[..., token].amax((1, 2)).clamp(min=0)
            push = strength * (mask - (1 - mask))
            biased[..., token] += peak[:, None, None] * push
    probs = biased.softmax(-1).mean(1)
    return torch.stack([probs[..., list(region.tokens)].sum(-1) for region in regions], 1)


def block_masks(size):
    """Left and right half of 17 columns of latent cells, each the mean of its own."""
    left = torch.zeros(17)
    left[:8], left[8] = 1, 0.5
    if size[1] == 9:
        left = torch.cat([left, left[-1:]]).view(9, 2).mean(1)
    return torch.stack([left, 1 - left]).unsqueeze(1).expand(2, *size).flatten(1)


@pytest.mark.parametrize("strength", [0.0, 0.7])
@pytest.mark.parametrize("batch", [1, 2])
def test_it_is_a_plain_softmax_at_every_block(
    pack, patch, model, collage, finished, strength, batch
) -> None:
    watched, seen = capture(model, pack)
    patched = patch(collage, model=watched, strength=strength)
    regions = patched.positive[0][1]["collage_words"].bias.regions
    found = pack.nodes.host.attention.replay.replay(
        patched.model, patched.positive, finished(batch), 3, 4
    )
    blocks = len([*pack.nodes.host.models.families.block_keys(model.model.diffusion_model)])
    assert len(seen) == 3 * blocks
    assert {size for *_, size in seen} == {(13, 17), (7, 9)}
    total = torch.zeros(batch, 2, 13, 17)
    for q, k, heads, size in seen:
        maps = plain_attention(q, k, heads, block_masks(size), regions, strength)
        maps = maps.unflatten(-1, size)
        if size == (7, 9):
            maps = maps.repeat_interleave(2, -2).repeat_interleave(2, -1)[..., :13, :17]
        total += maps
    assert_close(found, total / len(seen), atol=1e-6, rtol=1e-4)


def test_the_bias_draws_the_attention_into_the_mask(run, patch, collage, leakages) -> None:
    _, free = run(patch(collage, strength=0.0).model, collage)
    _, drawn = run(patch(collage, strength=3.0).model, collage)
    for before, after in zip(leakages(free), leakages(drawn), strict=True):
        assert 40 < before < 60
        assert after < before - 10


def test_out_of_its_schedule_the_bias_is_not_seen(run, patch, collage) -> None:
    late = patch(collage, start_percent=0.9)
    image, report = run(late.model, collage, steps=1)  # the middle of the schedule
    plain, same = run(patch(collage, strength=0.0).model, collage, steps=1)
    assert torch.equal(image, plain)
    assert report == same


def test_levels_are_the_middles_of_equal_parts(pack, patch, collage, finished, model) -> None:
    patched = patch(collage)
    sigmas = []

    def watch(apply_model, args):
        sigmas.append(args["timestep"].max().item())
        return apply_model(args["input"], args["timestep"], **args["c"])

    patched.model.set_model_unet_function_wrapper(watch)
    pack.nodes.host.attention.replay.replay(patched.model, patched.positive, finished(), 5, 0)
    table = model.get_model_object("model_sampling")
    times = [float(table.timestep(torch.tensor(sigma))) for sigma in sigmas]
    assert times == pytest.approx([899, 699, 500, 300, 100], abs=1)


def test_one_picture_per_layer_that_is_shown(run, patch, make_collage, finished) -> None:
    collage = make_collage()
    hidden = dataclasses.replace(collage.layers[0], visible=False)
    some = collage.with_layers((hidden, *collage.layers))
    image, report = run(patch(some).model, some)
    assert image.shape == (2, 104, 136, 3)
    assert image.isfinite().all()
    assert 0 <= image.min() <= image.max() <= 1
    assert "2 of 3 layers" in report
    assert '\n2 "bear": leakage' in report


def test_a_batch_is_averaged(run, patch, collage, finished, make_collage) -> None:
    image, report = run(patch(collage).model, collage, latent=finished(2))
    assert image.shape == (2, 104, 136, 3)
    assert "mean over 2 noise levels and 2 pictures." in report
    both = make_collage(batch=2)
    again, same = run(patch(both).model, both, latent=finished(2))
    assert_close(again, image)
    assert same == report


def test_one_picture_of_several(run, patch, make_collage, finished, pack) -> None:
    """The masks and the composite are those of the picture that LatentFromBatch took."""
    import nodes

    core, collage = pack.collage_core.collage.collage, make_collage()
    masks = torch.zeros(2, 104, 136)
    masks[0, :, :68] = masks[1, :, 68:] = 1
    image = torch.rand(2, 104, 136, 3)
    layers = [
        core.Layer(image=image, alpha=alpha, text=text, attract=1.0, repel=1.0)
        for alpha, text in ((masks, "bear"), (1 - masks, "red hat"))
    ]
    both = collage.with_layers(tuple(layers))
    patched = patch(both).model
    (second,) = nodes.LatentFromBatch().frombatch(finished(2), 1, 1)
    image, report = run(patched, both, latent=second)
    alone = both.of_pictures([1])
    wanted, same = run(patch(alone).model, alone, latent=second)
    assert_close(image, wanted)
    assert report == same
    assert "its mask at x 0.75" in report.splitlines()[3]
    with pytest.raises(pack.collage_core.errors.CollageError, match="with no batch_index does not"):
        run(patched, both, latent=finished())


def test_layers_that_share_words_have_one_map(run, patch, make_collage) -> None:
    collage = make_collage(prompt="some bear", text="bear")
    image, report = run(patch(collage).model, collage)
    assert image.shape[0] == 2
    assert report.count("one region, measured together") == 2


def test_a_long_prompt_is_followed_across_its_chunks(run, patch, make_collage, leakages) -> None:
    collage = make_collage(prompt="a bear " + "very " * 90 + "far from a red hat")
    _, report = run(patch(collage, strength=3.0).model, collage)
    assert all(leak < 45 for leak in leakages(report))
