"""How strongly each LoRA acts where."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from collage_core.attention.bias import TokenRegion
from collage_core.attention.lora_weights import LoraWeights

STRENGTHS = torch.tensor([[1.0, 0.0, 0.5], [0.0, -2.0, 0.0]])  # the third layer has the first's


def masks() -> torch.Tensor:
    """Three layers: the left half, a quarter above right, an eighth below right."""
    found = torch.zeros(1, 3, 64, 64)
    found[:, 0, :, :32] = 1
    found[:, 1, :32, 32:] = 1
    found[:, 2, 32:, 48:] = 1
    return found


def weights() -> LoraWeights:
    return LoraWeights(masks(), STRENGTHS)


def test_a_cell_takes_the_loras_of_the_layers_that_are_seen_in_it() -> None:
    own = weights()
    found = own.of_cells(own.cells((8, 8)), (4, 4)).view(1, 4, 4, 2)
    assert found[0, 0].tolist() == [[1, 0], [1, 0], [0, -2], [0, -2]]
    assert found[0, 3].tolist() == [[1, 0], [1, 0], [0, 0], [0.5, 0]]


def test_what_belongs_to_no_layer_takes_the_share_of_the_picture() -> None:
    own = weights()
    assert own.share(own.cells((8, 8))).tolist() == [[0.5 + 0.5 / 8, -0.5]]
    part = own.cells((8, 8), (8, 4, 0, 4))  # the right half
    assert own.share(part).tolist() == [[0.5 / 4, -1.0]]


def test_a_word_takes_those_of_its_layers_which_share_it_as_they_share_the_picture() -> None:
    own, words = weights(), (TokenRegion((0, 2), (1,)), TokenRegion((1,), (2, 3)))
    found = own.of_tokens(own.cells((8, 8)), words, 5)
    shared = 0.5 / (0.5 + 0.125) + 0.5 * 0.125 / (0.5 + 0.125)
    share = [0.5625, -0.5]
    wanted = torch.tensor([share, [shared, 0], [0, -2], [0, -2], share])
    assert_close(found[0], wanted)
    moved = own.of_tokens(own.cells((8, 8)), words, 6, start=1)
    assert_close(moved[0, 1:], wanted)


def test_the_words_of_a_hidden_layer_keep_its_lora() -> None:
    own, words = LoraWeights(torch.zeros(1, 3, 64, 64), STRENGTHS), [TokenRegion((0, 1), (0,))]
    assert own.of_tokens(own.cells((8, 8)), words, 2)[0].tolist() == [[0.5, -1.0], [0, 0]]


def test_a_layer_of_everything_weighs_one_everywhere_to_the_bit() -> None:
    own, words = LoraWeights(torch.ones(1, 1, 104, 88), torch.ones(1, 1)), [TokenRegion((0,), (1,))]
    cells = own.cells((13, 11))
    for found in (own.of_cells(cells, (7, 6)), own.share(cells), own.of_tokens(cells, words, 77)):
        assert bool((found == 1).all())
