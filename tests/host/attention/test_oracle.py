"""The paper's loop over tokens beside what the blocks of a sampled model compute."""

from __future__ import annotations

import math

import pytest
from torch.testing import assert_close


def assert_as_in_the_paper(paper, calls, collage, factor=None) -> set[int]:
    """Every row of every block; returns how many cells a side of a block's cell measures."""
    sides = set()
    for call in calls:
        f = (factor or paper.factor)(call["sigma"])
        for block in call["blocks"]:
            masks, side = paper.masks_of(block, collage)
            sides.add(side)
            assert call["rows"] == [1, 0]
            for row, negative in enumerate(call["rows"]):
                wanted = paper.attention(block, row, masks, collage, 0.0 if negative else f)
                assert_close(block["out"][row], wanted, atol=1e-4, rtol=1e-4)
    return sides


@pytest.mark.parametrize("size", [(128, 128), (136, 88), (72, 200)])
def test_blocks_compute_the_papers_formula(
    make_model, paper, make_collage, patch, sample, spy, size
) -> None:
    deep = make_model(
        channel_mult=(1, 2, 2), num_res_blocks=[1, 1, 1], transformer_depth=[1, 1, 1],
        transformer_depth_output=[1] * 6,
    )  # fmt: skip
    collage = make_collage(size=size)
    patched, positive, _ = patch(collage, model=deep)
    watched = spy.follow(patched)
    sample(watched, positive, cells=(size[0] // 8, size[1] // 8))
    assert len(spy.calls) == 2
    assert [len(call["blocks"]) for call in spy.calls] == [10, 10]
    assert assert_as_in_the_paper(paper, spy.calls, collage) == {1, 2, 4}


def test_masks_of_an_odd_side_after_three_halvings(
    make_model, paper, make_collage, patch, sample, spy
) -> None:
    """17 x 11 cells end as 3 x 2, and the last of them lies mostly outside the picture."""
    deeper = make_model(
        channel_mult=(1, 1, 1, 1), num_res_blocks=[1] * 4, transformer_depth=[0, 0, 0, 1],
        transformer_depth_output=[0] * 6 + [1, 1],
    )  # fmt: skip
    collage = make_collage(size=(136, 88))
    patched, positive, _ = patch(collage, model=deeper)
    watched = spy.follow(patched)
    sample(watched, positive, cells=(17, 11), steps=1)
    assert assert_as_in_the_paper(paper, spy.calls, collage) == {8}


def test_other_schedules_and_strength(paper, make_collage, patch, sample, spy) -> None:
    collage = make_collage()
    for schedule, f in {
        "constant": lambda _: 2.5,
        "ediff": lambda sigma: 2.5 * math.log(sigma + 1.01),
        "early": lambda sigma: (
            2.5 * math.log(math.log(sigma + 1.01) + 1) * (sigma**2 / (sigma**2 + 1)) ** 2
        ),
    }.items():
        patched, positive, _ = patch(collage, schedule=schedule, strength=2.5)
        sample(spy.follow(patched), positive)
        assert_as_in_the_paper(paper, spy.calls, collage, f)


@pytest.mark.parametrize("name", ["basic", "split", "sub_quad", "pytorch"])
def test_every_attention_of_the_host(
    paper, make_collage, patch, sample, spy, monkeypatch, name
) -> None:
    from comfy.ldm.modules import attention

    monkeypatch.setattr(attention, "optimized_attention", getattr(attention, f"attention_{name}"))
    collage = make_collage()
    patched, positive, _ = patch(collage)
    watched = spy.follow(patched)
    sample(watched, positive, steps=1)
    assert_as_in_the_paper(paper, spy.calls, collage)
