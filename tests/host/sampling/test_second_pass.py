"""A second pass at another size: words, masks, looks, control and kept places hold there."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.testing import assert_close

SMALL, CELLS = (64, 64), (8, 8)  # of the first pass, pixels and cells


@pytest.fixture
def resize(pack):
    def run(collage, factor: float = 2.0, noise: float = 1.0):
        return pack.nodes.resize.CollageResize.execute(collage, factor, noise).args

    return run


@pytest.fixture
def enlarged(model):
    """The latent of a first pass, enlarged by the host's node."""
    import nodes

    channels = model.model.latent_format.latent_channels
    small = torch.rand(1, channels, *CELLS, generator=torch.Generator().manual_seed(0))
    return nodes.LatentUpscaleBy().upscale({"samples": small}, "bislerp", 2.0)[0]


@pytest.fixture
def patched(pack, model, clip):
    """MODEL and positive of a collage."""
    node = pack.nodes.attention.MaskedCrossAttentionPatch

    def run(collage):
        return node.execute(model, clip, collage, "paper", 1.0, 0.0, 1.0).args[:2]

    return run


def test_kept_places_are_kept_and_the_rest_is_painted(run, resize, make_collage, enlarged):
    large, image = resize(make_collage(0.0, size=SMALL), noise=0.5)
    assert torch.equal(image, large.composite.image)
    latent, noise = run(large, latent_image=enlarged)
    kept = (noise == 0)[:, None, ::8, ::8].expand_as(latent["samples"])
    assert kept.any()
    assert torch.equal(latent["samples"][kept], enlarged["samples"][kept]), "to the bit"
    assert not torch.equal(latent["samples"], enlarged["samples"])


def test_every_layer_has_its_share_of_the_noise_in_its_place(run, resize, make_collage, enlarged):
    first = make_collage(0.8, size=SMALL)
    _, before = run(first)
    _, after = run(resize(first, noise=0.25)[0], latent_image=enlarged, base_noise=0.2)
    assert_close(after[:, ::2, ::2], before / 4)


def test_the_latent_upscaled_by_the_same_factor_fits(run, resize, make_collage, model):
    import nodes

    small = {"samples": torch.rand(1, model.model.latent_format.latent_channels, 9, 11)}
    first = make_collage(0.5, size=(72, 88))
    for factor in (1.5, 1.35, 1.05, 2.0):
        larger = nodes.LatentUpscaleBy().upscale(small, "bilinear", factor)[0]
        large, _ = resize(first, factor)
        assert run(large, latent_image=larger)[0]["samples"].shape == larger["samples"].shape


def test_words_and_looks_hold_at_the_second_size(
    pack, run, resize, make_collage, enlarged, patched
):
    first = make_collage(0.6, size=SMALL)
    large, _ = resize(first)
    assert large.learned_phrases == first.learned_phrases
    model, positive = patched(large)
    carried = positive[0][1][pack.nodes.host.attention.conditioning.KEY].collage
    assert carried is large
    plain, _ = run(large, latent_image=enlarged, positive=[[positive[0][0], {}]])
    words, _ = run(large, latent_image=enlarged, model=model, positive=positive)
    assert not torch.equal(words["samples"], plain["samples"]), "the words act in their place"


def test_the_conditioning_of_the_first_size_is_refused(
    pack, run, resize, make_collage, enlarged, patched
):
    first = make_collage(0.6, size=SMALL)
    model, positive = patched(first)
    with pytest.raises(pack.collage_core.errors.CollageError, match="a canvas of 64 x 64 pixels"):
        run(resize(first)[0], latent_image=enlarged, model=model, positive=positive)


def test_control_holds_at_the_second_size(pack, run, resize, make_collage, enlarged, tiny, prompts):
    first = make_collage(0.6, size=SMALL)
    kept = tuple(dataclasses.replace(layer, control=0.3) for layer in first.layers)
    large, _ = resize(first.with_layers(kept))
    node = pack.nodes.control.CollageControlNet
    network = {"control_net": tiny.tiny_control_net(), "strength": 1.0}
    times = {"start_percent": 0.0, "end_percent": 1.0}
    positive, negative, _ = node.execute(collage=large, **prompts, **network, **times).args
    assert [layer.control for layer in large.layers] == [0.3]
    free, _ = run(large, latent_image=enlarged)
    held, _ = run(large, latent_image=enlarged, positive=positive, negative=negative)
    assert not torch.equal(free["samples"], held["samples"])


def test_too_large_a_canvas_is_refused_before_memory_is_taken(
    pack, resize, make_collage, monkeypatch
):
    import comfy.model_management as management

    monkeypatch.setattr(management, "get_free_memory", lambda _device: 1e6)
    refused = "CollageResize, a collage of 1024 x 1024 pixels with 1 layers takes"
    with pytest.raises(pack.collage_core.errors.CollageError, match=refused):
        resize(make_collage(0.5, size=SMALL), 16)
