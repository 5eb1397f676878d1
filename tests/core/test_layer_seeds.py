"""Seeds of single layers: which cells they rule, and how they are written down."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer
from collage_core.errors import CollageError
from collage_core.noise.seeds import (
    LARGEST_SEED,
    NoiseSeeds,
    cell_owners,
    noise_seeds,
    parse_layer_seeds,
)

TEXTS = ("cloth", "Teddy bear", "a red, shiny ball", "sign 1:2", "twin", "twin", "ghost")


def collage(texts: tuple[str, ...] = TEXTS) -> Collage:
    """Layers from left to right in equal columns; one called ghost is hidden."""
    layers = tuple(
        Layer(
            image=torch.zeros(1, 32, 16, 3),
            alpha=torch.ones(1, 32, 16),
            text=text,
            x=(16 * i + 8) / 128,
            visible=text != "ghost",
        )
        for i, text in enumerate(texts)
    )
    background = torch.zeros(1, 32, 128, 3)
    return Collage(width=128, height=32, prompt="all", background=background, layers=layers)


def draw(seed: int) -> torch.Tensor:
    return torch.randn(2, 4, 4, 16, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" \n , ", {}),
        ("2: 77", {1: 77}),
        ("2:77,1 : 5", {1: 77, 0: 5}),
        ("teddy bear: 77", {1: 77}),
        ("teddy   bear: 77", {1: 77}),
        ("\n  Cloth:1\nTEDDY BEAR  :0,\n", {0: 1, 1: 0}),
        ("a red, shiny ball: 3, 1: 4", {2: 3, 0: 4}),
        ("1: 4, a red, shiny ball: 3", {0: 4, 2: 3}),
        ("sign 1:2: 9", {3: 9}),
        (f"5: {LARGEST_SEED}", {4: LARGEST_SEED}),
        ("1: 4, cloth: 4", {0: 4}),
        ("2: 77; cloth: 5", {1: 77, 0: 5}),
        ("2\uff1a77\uff0ccloth\uff1a\uff15\uff1b3\uff1a8\u30014\uff1a9", {1: 77, 0: 5, 2: 8, 3: 9}),
        ("a red\uff0c shiny ball\uff1a3", {2: 3}),
    ],
)
def test_layers_are_named_by_number_or_text(text: str, expected: dict[int, int]) -> None:
    assert parse_layer_seeds(text, collage()) == expected


def test_numbers_count_hidden_layers() -> None:
    assert parse_layer_seeds("2: 5", collage(("ghost", "cat"))) == {0: 5}
    assert parse_layer_seeds("cat: 5", collage(("ghost", "cat"))) == {0: 5}


def test_a_shown_layer_goes_before_a_hidden_one_of_its_text() -> None:
    stack = collage(("ghost", "ball"))
    both = stack.with_layers((*stack.layers, stack.layers[0]))
    shown = Layer(image=torch.zeros(1, 8, 8, 3), alpha=torch.ones(1, 8, 8), text="ghost")
    assert parse_layer_seeds("ghost: 5", both.with_layers((*both.layers, shown))) == {1: 5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dragon: 5", r'there is no layer "dragon"\. There are 1 "cloth", 2 "Teddy bear", 3'),
        ("8: 5", r'there is no layer "8"'),
        ("0: 5", r'there is no layer "0"'),
        (": 5", r'there is no layer ""'),
        ("twin: 5", r'"twin" is the text of layers 5 and 6\. Use the number'),
        ("7: 5", r'layer 7 "ghost" is hidden'),
        ("ghost: 5", r'layer 7 "ghost" is hidden'),
        ("cloth", r'"cloth" has no colon'),
        ("cloth: 5, twin", r'"twin" has no colon'),
        ("cloth:", r'"" for "cloth" is no seed'),
        ("cloth: -1", r'"-1" for "cloth" is no seed'),
        ("cloth: 1.5", r'"1\.5" for "cloth" is no seed'),
        ("cloth: x, 2: 5", r'"x" for "cloth" is no seed'),
        (
            f"1: {LARGEST_SEED + 1}",
            rf".* is no seed. Enter a whole number from 0 to {LARGEST_SEED}",
        ),
        ("1: " + "9" * 5000, r'"9+\.\.\." for "1" is no seed'),
        ("1: 5, cloth: 6", r'"cloth" is given the seed 6 after 5'),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(CollageError, match=f"^PerLayerNoiseKSampler, input layer_seeds: {message}"):
        parse_layer_seeds(text, collage())


def test_a_long_stack_is_not_listed_in_full() -> None:
    names = tuple(f"thing {n}" for n in range(20))
    with pytest.raises(CollageError, match=r'8 "thing 7" and 12 more\.$'):
        parse_layer_seeds("dragon: 5", collage(names))
    with pytest.raises(CollageError, match=r"The collage shows no layer\.$"):
        parse_layer_seeds("dragon: 5", collage(()))


def test_a_cell_belongs_to_what_shows_most_of_it() -> None:
    alpha = torch.zeros(2, 2, 8, 24)
    alpha[0, 0, :, :5] = 1.0  # of the first cell 5 of 8 columns
    alpha[0, 1, :, 5:11] = 1.0  # 3 of the first and 3 of the second
    alpha[1, 1] = 0.51
    assert cell_owners(alpha, 8).tolist() == [[[[0, 2, 2]]], [[[1, 1, 1]]]]


def test_cells_of_a_canvas_that_they_do_not_divide_are_the_vaes() -> None:
    assert cell_owners(torch.zeros(1, 3, 20, 27), 8).shape == (1, 1, 2, 3)


def test_every_cell_has_the_noise_of_one_seed() -> None:
    seeds = noise_seeds(5, "2: 77, 4: 78", collage(), 8)
    mixed = seeds.mixed(draw)
    columns = [5, 5, 77, 77, 5, 5, 78, 78, *[5] * 8]
    expected = torch.stack([draw(seed)[..., x] for x, seed in enumerate(columns)], -1)
    assert torch.equal(mixed, expected)


def test_every_seed_is_drawn_once_and_the_pictures_last() -> None:
    drawn: list[int] = []

    def note(seed: int) -> torch.Tensor:
        drawn.append(seed)
        return draw(seed)

    noise_seeds(5, "1: 9, 2: 77, 3: 9, 4: 5", collage(), 8).mixed(note)
    assert drawn == [9, 77, 5]


def test_without_seeds_of_layers_the_noise_is_the_pictures() -> None:
    assert torch.equal(noise_seeds(5, "", collage(), 8).mixed(draw), draw(5))


def test_cells_fit_latents_with_frames_and_batches() -> None:
    own = torch.zeros(2, 1, 3, 4, dtype=torch.bool)
    own[1] = True

    def ones(seed: int) -> torch.Tensor:
        return torch.full((2, 16, 1, 3, 4), float(seed))

    mixed = NoiseSeeds(1, ((2, own),)).mixed(ones)
    assert_close(mixed.mean((1, 2, 3, 4)), torch.tensor([1.0, 2.0]))


def test_a_seed_that_would_change_nothing_is_refused() -> None:
    glass = dataclasses.replace(collage().layers[1], opacity=0.4)
    layers = (collage().layers[0], glass, *collage().layers[2:])
    with pytest.raises(CollageError, match='layer 2 "Teddy bear" shows most in no latent cell'):
        noise_seeds(5, "1: 9, 2: 77", collage().with_layers(layers), 8)
