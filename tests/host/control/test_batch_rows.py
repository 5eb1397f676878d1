"""Every picture of a batch is weighed by its own map, in whatever order the host asks."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.testing import assert_close

LEVELS = {
    "num_res_blocks": [2, 2], "transformer_depth": [1] * 4, "transformer_depth_output": [1] * 6,
}  # fmt: skip


def one_picture(collage, index: int):
    """The collage with the pictures of one item of its batch."""
    layers = tuple(
        dataclasses.replace(
            layer, image=layer.image[index : index + 1], alpha=layer.alpha[index : index + 1]
        )
        for layer in collage.layers
    )
    return collage.with_layers(layers)


@pytest.fixture(params=["ControlNet", "T2I adapter"])
def net_and_model(request, tiny, make_model, network, model):
    if request.param == "ControlNet":
        return network, model
    return tiny.tiny_adapter(), make_model(**LEVELS)


@pytest.mark.parametrize("batch", [1, 3])
def test_together_reversed_and_apart_are_one_picture(
    control, sample, record, make_collage, net_and_model, request, reverse_conds, batch
) -> None:
    net, used = net_and_model
    controlled = control(make_collage(batch=batch), net)
    inputs = {"steps": 1, "batch": batch}
    assert [call.rows for call in record(controlled, used, **inputs)] == [[1, 0]]
    together = sample(controlled, used, **inputs)
    reverse = sample(controlled, reverse_conds(used), **inputs)
    request.getfixturevalue("low_memory")
    assert sorted(call.rows for call in record(controlled, used, **inputs)) == [[0], [1]]
    apart = sample(controlled, used, **inputs)
    assert_close(together, reverse, atol=1e-3, rtol=1e-4)
    assert_close(together, apart, atol=1e-3, rtol=1e-4)


def test_every_picture_has_its_own_map_and_edges(
    control, sample, make_collage, net_and_model
) -> None:
    net, used = net_and_model
    collage = make_collage(batch=3)
    latent = {"samples": torch.zeros(3, 4, 12, 10), "batch_index": [0, 0, 0]}
    pictures = sample(control(collage, net), used, latent=latent)
    for index in range(3):
        alone = sample(control(one_picture(collage, index), net), used)
        assert_close(pictures[index : index + 1], alone, atol=1e-3, rtol=1e-4)
    assert (pictures[0] - pictures[1]).abs().max() > 1e-2


@pytest.mark.parametrize("batch", [1, 3, 4])
def test_a_batch_that_may_be_any_part(
    pack, control, sample, make_collage, net_and_model, batch
) -> None:
    """The host's KSampler keeps to itself which part of a batch it was given."""
    net, used = net_and_model
    photos = torch.rand(2, 96, 80, 3)
    for controlled in (
        control(make_collage(batch=2), net),
        control(make_collage(), net, control_image=photos),
    ):
        told = f"2 pictures, and which of them the {batch} are that are sampled is not known"
        with pytest.raises(pack.collage_core.errors.CollageError, match=told):
            sample(controlled, used, batch=batch)


def test_a_network_is_shown_the_pictures_of_its_rows(
    pack, control, record, outputs, make_collage, net_and_model
) -> None:
    """As PerLayerNoiseKSampler tells them; afterwards all of them again."""
    net, used = net_and_model
    controlled = control(make_collage(batch=3), net)
    tell = pack.nodes.host.models.batch_rows.tell_pictures
    (whole,) = record(controlled, used, batch=3)
    latent = {"samples": torch.zeros(2, 4, 12, 10), "batch_index": [2, 0]}
    (part,) = record(controlled, tell(used, (2, 0)), latent=latent)
    (again,) = record(controlled, used, batch=3)
    for x, y, z in zip(outputs(whole), outputs(part), outputs(again), strict=True):
        rows = torch.arange(len(x)).unflatten(0, (-1, 3))[:, [2, 0]].flatten()
        assert_close(y, x[rows], atol=1e-4, rtol=1e-3)
        assert_close(z, x)


def test_one_map_serves_many_control_images(
    control, core_control, sample, make_collage, net_and_model
) -> None:
    net, used = net_and_model
    collage, photos = make_collage(1.0, 1.0, whole=True), torch.rand(3, 96, 80, 3)
    controlled = control(collage, net, control_image=photos)
    hosts = core_control(photos, net)
    assert torch.equal(sample(controlled, used, batch=3), sample(hosts, used, batch=3))


def test_one_edge_image_serves_many_maps(
    control, record, outputs, make_collage, net_and_model
) -> None:
    net, used = net_and_model
    collage, photo = make_collage(batch=2), torch.rand(1, 96, 80, 3)
    latent = {"samples": torch.zeros(2, 4, 12, 10), "batch_index": [0, 0]}
    (call,) = record(control(collage, net, control_image=photo), used, latent=latent)
    for index in range(2):
        alone = control(one_picture(collage, index), net, control_image=photo)
        (single,) = record(alone, used)
        for x, y in zip(outputs(call), outputs(single), strict=True):
            both = y.expand(2, -1, -1, -1)  # an adapter's serves both chunks
            assert_close(x[index::2], both, atol=1e-5, rtol=1e-4)


def test_cfg_1_leaves_the_negative_out(
    control, record, outputs, make_collage, net_and_model
) -> None:
    net, used = net_and_model
    (call,) = record(control(make_collage(), net), used, cfg=1.0)
    assert call.rows == [0]
    assert all(len(x) == 1 for x in outputs(call))


def test_calls_of_changing_size_are_weighed_alike(
    pack, tiny, make_model, control, make_collage, prompts
) -> None:
    """As when memory runs short in between: an adapter keeps the rows of its first call."""
    used, net = make_model(**LEVELS), tiny.tiny_adapter()
    positive, _, _ = control(make_collage(batch=2), net)
    held = positive[0][1]["control"]
    held.pre_run(used.model, used.model.model_sampling.percent_to_sigma)
    x, words = torch.randn(2, 4, 12, 10), prompts[0][0][0]

    def call(chunks: int) -> list[torch.Tensor]:
        rows = torch.full((2 * chunks,), 2.0)
        cond = {"c_crossattn": words.expand(2 * chunks, -1, -1)}
        found = held.get_control(x.repeat(chunks, 1, 1, 1), rows, cond, chunks, {})
        return [y for y in found["input"] if y is not None]

    both, one, three = call(2), call(1), call(3)
    for a, b, c in zip(both, one, three, strict=True):
        assert [len(y) for y in (a, b, c)] == [4, 2, 6]
        assert torch.equal(a[:2], b)
        assert torch.equal(b.repeat(3, 1, 1, 1), c)
    held.cleanup()
