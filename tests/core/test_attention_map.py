"""Where the words of a region act: the maths, the picture and the text."""

from __future__ import annotations

from typing import Any

import torch
from torch.testing import assert_close

from collage_core.attention.bias import TokenColumns, TokenRegion
from collage_core.attention.maps import (
    AttentionSum,
    centres,
    describe_attention,
    layer_regions,
    leakage,
    onto_grid,
    region_attention,
    region_masks,
)
from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer
from collage_core.imaging.colour import heat_colours, heat_maps

B, N, K, H, D = 2, 35, 11, 3, 5
COLUMNS = TokenColumns(
    torch.tensor([2, 7, 4]), torch.tensor([[1.0, 1, 0], [0, 0, 1]]), factor=torch.tensor(1.0)
)  # region 0: tokens 2 and 7; region 1: token 4


def queries_and_keys(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    q, k = (torch.randn(B, size, H * D, generator=generator) for size in (N, K))
    return q, k, torch.randn(B, 1, N, K, generator=generator)


def expected(q: torch.Tensor, k: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """[B, N, 2] by loops over batch, heads and queries."""
    found = torch.zeros(B, N, 2)
    for b in range(B):
        for h in range(H):
            own = slice(h * D, (h + 1) * D)
            for n in range(N):
                scores = torch.stack([q[b, n, own] @ k[b, j, own] / D**0.5 for j in range(K)])
                probs = (scores + bias[b, 0, n]).softmax(0)
                found[b, n] += torch.stack([probs[2] + probs[7], probs[4]]) / H
    return found


def test_attention_of_a_region_is_the_sum_of_its_probabilities(generator: torch.Generator):
    q, k, bias = queries_and_keys(generator)
    assert_close(region_attention(q, k, H, bias, COLUMNS), expected(q, k, bias))


def test_one_bias_serves_the_whole_batch(generator: torch.Generator):
    q, k, bias = queries_and_keys(generator)
    both = region_attention(q, k, H, bias[:1].expand(B, -1, -1, -1), COLUMNS)
    assert_close(region_attention(q, k, H, bias[:1], COLUMNS), both)


def test_half_precision_is_summed_in_float32(generator: torch.Generator):
    q, k, bias = (tensor.half() for tensor in queries_and_keys(generator))
    found = region_attention(q, k, H, bias, COLUMNS)
    assert_close(found, expected(q.float(), k.float(), bias.float()))


def test_cells_of_a_block_lie_where_a_unet_put_them():
    block = torch.arange(6.0).view(1, 1, 2, 3)  # of 5 x 9 latent cells, halved twice
    rows = torch.tensor([0, 0, 0, 0, 1])
    columns = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 2])
    assert_close(onto_grid(block, (5, 9))[0, 0], block[0, 0][rows][:, columns])


def test_a_block_of_an_odd_size_is_stretched():
    block = torch.ones(1, 1, 3, 3)  # of 8 x 8, as a patch that shrinks by 2.5 leaves it
    assert_close(onto_grid(block, (8, 8)), torch.ones(1, 1, 8, 8))


def test_the_sum_is_the_mean_over_calls_of_any_size(generator: torch.Generator):
    q, k, bias = queries_and_keys(generator)
    total = AttentionSum((10, 14))
    total.record(q, k, H, bias, COLUMNS, (5, 7))
    total.record(q, k, H, 2 * bias, COLUMNS, (5, 7))
    first, second = (expected(q, k, factor * bias).mT.unflatten(-1, (5, 7)) for factor in (1, 2))
    assert_close(total.mean()[..., ::2, ::2], (first + second) / 2)
    assert_close(total.mean()[..., 1::2, 1::2], (first + second) / 2)


def test_the_mean_of_no_call_is_no_number():
    assert AttentionSum((2, 2)).mean().isnan().all()


def test_layers_know_their_region():
    assert layer_regions([TokenRegion((1,), (3,)), TokenRegion((0, 2), (4,))]) == [1, 0, 1]


def test_masks_of_layers_that_share_words_add_up():
    alpha = torch.zeros(2, 3, 4, 8)
    alpha[0, 0, :, :4] = 0.5
    alpha[0, 2, :, 4:] = 1.0
    alpha[1, 1] = 1.0
    masks = region_masks(
        alpha, [TokenRegion((0, 2), (1,)), TokenRegion((1,), (2,))], torch.ones(2, 2, 1, 2)
    )
    assert_close(masks[0], torch.tensor([[[0.5, 1.0]], [[0.0, 0.0]]]))
    assert_close(masks[1], torch.tensor([[[0.0, 0.0]], [[1.0, 1.0]]]))
    one = region_masks(alpha[1:], [TokenRegion((1,), (1,))], torch.ones(3, 1, 1, 2))
    assert_close(one, torch.ones(3, 1, 1, 2))


def test_leakage_is_the_share_outside_a_soft_mask():
    attention = torch.tensor([3.0, 1.0, 0.0, 4.0]).view(1, 1, 1, 4)
    masks = torch.tensor([1.0, 0.5, 1.0, 0.0]).view(1, 1, 1, 4)
    assert_close(leakage(attention, masks), torch.tensor([4.5 / 8]))
    assert leakage(torch.zeros(1, 1, 1, 4), masks).isnan().all()


def test_leakage_of_even_attention_is_chance(generator: torch.Generator):
    masks = torch.rand(2, 3, 5, 7, generator=generator)
    assert_close(leakage(torch.ones(2, 3, 5, 7), masks), 1 - masks.mean((0, 2, 3)))


def test_centres_are_fractions_of_the_canvas():
    maps = torch.zeros(1, 2, 5, 4)
    maps[0, 0, 4, 0] = 1
    maps[0, 1] = 1
    wanted = torch.tensor([[0.125, 0.9], [0.5, 0.5]], dtype=torch.float64)
    assert_close(centres(maps), wanted)


def test_heat_grows_lighter_in_even_steps():
    luma = heat_colours(torch.linspace(0, 1, 9)) @ torch.tensor([0.2126, 0.7152, 0.0722])
    assert (luma.diff() > 0.02).all()
    assert_close(heat_colours(torch.tensor(1.0)), torch.tensor([252, 255, 164]) / 255)


def test_each_map_is_as_hot_as_its_own_peak():
    attention = torch.zeros(2, 4, 6)
    attention[0, 1, 1], attention[1, 2, 4] = 1e-6, 0.5
    image = torch.full((32, 48, 3), 0.4)
    pictures = heat_maps(attention, torch.zeros(2, 32, 48), image)
    assert pictures.shape == (2, 32, 48, 3)
    for picture in pictures:
        assert_close(picture.flatten(0, 1)[picture.sum(-1).argmax()], heat_colours(torch.ones(())))
    assert_close(pictures[0, -1, -1], torch.full((3,), 0.2), atol=1e-3, rtol=0)  # cold


def test_no_attention_is_no_heat():
    pictures = heat_maps(torch.zeros(1, 2, 2), torch.zeros(1, 16, 16), torch.ones(16, 16, 3))
    assert_close(pictures, torch.full((1, 16, 16, 3), 0.5))


def test_the_line_runs_around_a_faint_mask_and_leaves_its_inside_alone():
    masks = torch.zeros(1, 16, 16)
    masks[0, 5:9, 5:9] = 0.3
    pictures = heat_maps(torch.zeros(1, 2, 2), masks, torch.ones(16, 16, 3))
    assert (pictures[0, 5:9, 5:9] == 0.5).all()
    assert (pictures[0, 4, 4:10] == 1).all()
    assert (pictures[0, 3, 3:11] == 0).all()
    assert (pictures[0, :3] == 0.5).all()


def collage(*layers: Layer) -> Collage:
    prompt = "a bear and a hat"
    background = torch.zeros(1, 16, 32, 3)
    return Collage(width=32, height=16, prompt=prompt, background=background, layers=layers)


def left(text: str, width: int = 16, **more: Any) -> Layer:
    image, alpha = torch.ones(1, 16, width, 3), torch.ones(1, 16, width)
    return Layer(image=image, alpha=alpha, text=text, **{"x": 0.25, **more})


def report(picture: Collage, attention: list[list[float]], levels: int = 8) -> list[str]:
    """The report on maps [R] of four columns over a canvas two cells high."""
    regions = [TokenRegion(region.layers, (1,)) for region in picture.phrases.regions]
    maps = torch.tensor(attention).view(1, -1, 1, 4).expand(-1, -1, 2, -1)
    return describe_attention(picture, regions, maps, levels).split("\n")


def test_the_report_reads_like_this():
    shown = (left("bear"), left("hat", x=0.75))
    lines = report(collage(left("lamp", visible=False), *shown), [[3, 3, 1, 1], [1, 1, 1, 1]])
    bear = '2 "bear": leakage 25.0 %, chance 50.0 %; 3.0 times as dense inside as outside; '
    hat = '3 "hat": leakage 50.0 %, chance 50.0 %; 1.0 times as dense inside as outside; '
    assert lines == [
        "Attention of 2 of 3 layers on the finished picture, mean over 8 noise levels.",
        "Leakage: its share outside the layer's visible mask. Chance: the canvas's share there.",
        "",
        bear + "centred at x 0.38 y 0.50, its mask at x 0.25 y 0.50",
        "",
        hat + "centred at x 0.50 y 0.50, its mask at x 0.75 y 0.50",
        "    ! no better than chance: the model does not look for it there",
    ]


def test_layers_that_share_words_are_one_region():
    apart = collage(left("bear", width=8, x=0.125), left("bear", width=8, x=0.375))
    _, _, _, first, other, _, second, one = report(apart, [[4, 3, 1, 0]])
    assert first.startswith('1 "bear": leakage 12.5 %, chance 50.0 %')
    assert second == first.replace("1", "2", 1)
    assert other == "    ! shares its words with layer 2: one region, measured together"
    assert one == other.replace("layer 2", "layer 1")


def test_words_without_any_attention_have_no_leakage():
    lines = report(collage(left("bear")), [[0, 0, 0, 0]])
    assert lines[3:] == ['1 "bear": its words get no attention anywhere']


def test_what_cannot_be_seen_leaks_everything():
    lines = report(collage(left("bear"), left("hat")), [[1, 1, 1, 1], [4, 4, 0, 0]])
    assert lines[3] == '1 "bear": leakage 100.0 %, chance 100.0 %'
    assert lines[4] == "    ! nothing of it can be seen: wherever its words act is outside"


def test_a_batch_and_a_single_level_are_named():
    picture = collage(left("bear"))
    maps = torch.ones(3, 1, 2, 4)
    text = describe_attention(picture, [TokenRegion((0,), (1,))], maps, 1)
    assert "mean over 1 noise level and 3 pictures." in text


def test_the_share_of_words_beside_cells_is_told():
    picture = collage(left("bear"), left("hat"))
    maps = torch.tensor([0.03, 0.012]).view(1, 2, 1, 1).expand(1, 2, 2, 4)
    regions = [TokenRegion((0,), (1,)), TokenRegion((1,), (2,))]
    text = describe_attention(picture, regions, maps, 1, joint=True)
    assert "The layers' words get 4.2 % of a cell's attention." in text
    assert "a cell's attention" not in describe_attention(picture, regions, maps, 1)
