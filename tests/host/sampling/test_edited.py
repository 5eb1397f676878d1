"""A collage that goes on from a finished picture."""

from __future__ import annotations

import dataclasses

import pytest
import torch


@pytest.fixture
def edited(pack, make_collage):
    """The left half may change, the right half is kept; the picture is none of the layers'."""
    core = pack.collage_core.collage.collage
    picture = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(2))
    edit = core.Edit(picture=picture, base_noise=0.0, feather=0.0)
    return dataclasses.replace(make_collage(0.7), edit=edit)


def test_the_picture_is_sampled_with_the_noise_of_the_edit(run, vae, edited) -> None:
    latent, noise_map = run(edited, base_noise=0.8, feather=30.0)
    original = vae.encode(edited.edit.picture)
    assert torch.equal(latent["samples"][..., 4:], original[..., 4:])
    assert (latent["samples"][..., :4] - original[..., :4]).abs().mean() > 0.01
    assert torch.equal(noise_map[..., 32:], torch.zeros(1, 64, 32))
    assert noise_map[..., :32].unique().tolist() == pytest.approx([0.7])


def test_a_place_with_a_minimum_noise_is_redrawn_too(run, vae, edited) -> None:
    least = torch.zeros(1, 1, 64, 64)
    least[..., 48:] = 0.4
    edit = dataclasses.replace(edited.edit, minimum_noise=least)
    latent, noise_map = run(dataclasses.replace(edited, edit=edit))
    original = vae.encode(edit.picture)
    assert torch.equal(latent["samples"][..., 4:6], original[..., 4:6])
    assert not torch.equal(latent["samples"][..., 6:], original[..., 6:])
    assert noise_map.unique().tolist() == pytest.approx([0.0, 0.4, 0.7])


def test_several_pictures_of_one_collage_are_sampled_together(run, edited) -> None:
    picture = torch.cat([edited.edit.picture, edited.edit.picture.flip(1)])
    edit = dataclasses.replace(edited.edit, picture=picture)
    latent, _ = run(dataclasses.replace(edited, edit=edit))
    assert latent["samples"].shape == (2, 4, 8, 8)
