"""The bias meets the rows of the conditioning that this node made, and no other row."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
import torch
from torch.testing import assert_close

LONG = ", on a table of old oak" * 15  # beyond 77 tokens


def assert_rows(paper, spy, *wanted: tuple[int, bool]) -> None:
    """Over all calls that were made: (0 or 1 for positive or negative, is it biased)."""
    found = Counter(
        (number, steered)
        for call in spy.calls
        for number, rows in paper.steered(call).items()
        for steered in rows
    )
    assert found == Counter(wanted)


@pytest.mark.parametrize(("words", "against"), [("", ""), (LONG, ""), ("", LONG)])
def test_together_reversed_and_apart_are_one_picture(
    paper, make_collage, patch, sample, spy, encode, request, reverse_conds, words, against
) -> None:
    """Also where 77 tokens are repeated to the length of 154."""
    collage = make_collage()
    collage = dataclasses.replace(collage, prompt=collage.prompt + words)
    patched, positive, _ = patch(collage)
    inputs = {"positive": positive, "negative": encode("bad" + against), "steps": 1}
    together = sample(spy.follow(patched), **inputs)
    assert [call["rows"] for call in spy.calls] == [[1, 0]]
    assert_rows(paper, spy, (0, True), (1, False))
    reverse = sample(spy.follow(reverse_conds(patched)), **inputs)
    assert_rows(paper, spy, (0, False), (1, True))
    request.getfixturevalue("low_memory")
    apart = sample(spy.follow(patched), **inputs)
    assert sorted(call["rows"] for call in spy.calls) == [[0], [1]]
    assert_rows(paper, spy, (0, True), (1, False))
    assert_close(together, reverse, atol=1e-3, rtol=1e-4)
    assert_close(together, apart, atol=1e-3, rtol=1e-4)


def test_cfg_1_leaves_the_negative_out(paper, make_collage, patch, sample, spy) -> None:
    patched, positive, _ = patch(make_collage())
    sample(spy.follow(patched), positive, cfg=1.0, steps=1)
    assert_rows(paper, spy, (0, True))


def test_each_picture_of_a_batch_has_its_own_masks(make_collage, patch, sample) -> None:
    collage = make_collage(batch=3)
    patched, positive, _ = patch(collage)
    latent = {"samples": torch.zeros(3, 4, 12, 10), "batch_index": [0, 0, 0]}
    pictures = sample(patched, positive, latent=latent)
    for i in range(3):
        layers = tuple(
            dataclasses.replace(layer, image=layer.image[i : i + 1], alpha=layer.alpha[i : i + 1])
            for layer in collage.layers
        )
        alone, words, _ = patch(collage.with_layers(layers))
        assert_close(pictures[i : i + 1], sample(alone, words), atol=1e-3, rtol=1e-4)
    assert (pictures[0] - pictures[1]).abs().max() > 1e-2


def test_one_collage_serves_a_batch_of_latents(make_collage, patch, sample) -> None:
    patched, positive, _ = patch(make_collage())
    latent = {"samples": torch.zeros(3, 4, 12, 10), "batch_index": [0, 0, 0]}
    pictures = sample(patched, positive, latent=latent)
    alone = sample(patched, positive)
    assert_close(pictures, alone.expand(3, -1, -1, -1), atol=1e-3, rtol=1e-4)


def test_bias_acts_in_its_part_of_the_schedule(paper, make_collage, patch, sample, spy) -> None:
    patched, positive, _ = patch(make_collage(), start_percent=0.2, end_percent=0.6)
    sample(spy.follow(patched), positive, steps=6)
    to_sigma = patched.model.model_sampling.percent_to_sigma
    found = [paper.steered(call)[0] for call in spy.calls]
    inside = [to_sigma(0.2) >= call["sigma"] >= to_sigma(0.6) for call in spy.calls]
    assert found == [[steered] for steered in inside]
    assert {True, False} == set(inside)


@pytest.mark.parametrize(
    ("start", "denoise", "last"), [(0.0, 1.0, 0.75), (0.0, 0.6, 0.45), (0.4, 1.0, 0.45)]
)
def test_the_earliest_bias_ends_with_a_quarter_of_the_noise_it_begins_with(
    paper, make_collage, patch, sample, spy, start: float, denoise: float, last: float
) -> None:
    patched, positive, _ = patch(make_collage(), schedule="earliest", start_percent=start)
    sample(spy.follow(patched), positive, steps=10, denoise=denoise)
    to_sigma = patched.model.model_sampling.percent_to_sigma
    found = [paper.steered(call)[0] for call in spy.calls]
    first = to_sigma(start) if start else float("inf")
    inside = [first >= call["sigma"] >= to_sigma(1 - last) for call in spy.calls]
    assert found == [[steered] for steered in inside]
    assert 1 <= sum(inside) <= 5


@pytest.mark.parametrize("sampler", ["heun", "dpm_2", "uni_pc", "dpmpp_sde"])
def test_samplers_with_sigmas_of_their_own(
    paper, make_collage, patch, sample, spy, sampler
) -> None:
    patched, positive, _ = patch(make_collage())
    samples = sample(spy.follow(patched), positive, sampler_name=sampler, steps=3)
    assert samples.isfinite().all()
    assert len(spy.calls) >= 3
    for call in spy.calls:
        if call["sigma"] > 0.5:
            assert paper.steered(call) == {0: [True], 1: [False]}
