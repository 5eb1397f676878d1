"""The noise as a picture: its colours, the numbers of layers, the lines of the legend."""

from __future__ import annotations

import dataclasses

import pytest
import torch


@pytest.fixture
def legend(pack):
    return pack.nodes.noise_preview


def layer(core, text: str, x: float, noise: float):
    return core.collage.layer.Layer(
        image=torch.full((1, 64, 32, 3), 0.5),
        alpha=torch.ones(1, 64, 32),
        text=text,
        x=x,
        noise=noise,
    )


@pytest.fixture
def collage(pack):
    core = pack.collage_core
    return core.collage.collage.Collage(
        width=64,
        height=64,
        background=torch.zeros(1, 64, 64, 3),
        prompt="sushi and rice",
        layers=(layer(core, "sushi", 0.25, 0.2), layer(core, "rice", 0.75, 1.0)),
    )


@pytest.fixture
def picture_of(pack, legend):
    def make(collage, base_noise: float = 0.6) -> torch.Tensor:
        noise = pack.collage_core.noise.noise_map.collage_noise(collage, base_noise, 0.0)
        return legend.noise_picture(collage, noise, base_noise)

    return make


def test_colours_tell_the_noise_over_the_grey_composite(pack, collage, picture_of, legend) -> None:
    picture = picture_of(collage)
    assert picture.shape[0::3] == (1, 3)
    assert picture.shape[2] == 512, "a small canvas is shown larger"
    heat = pack.collage_core.imaging.colour
    grey = 0.5 * sum(heat.LUMA)
    for x, noise in ((20, 0.2), (500, 1.0)):  # away from the numbers
        wanted = torch.lerp(
            torch.tensor(grey), heat.heat_colours(torch.tensor(noise)), legend.COLOUR_SHARE
        )
        torch.testing.assert_close(picture[0, 20, x], wanted, atol=0.01, rtol=0)


def test_a_large_canvas_keeps_its_size(collage, picture_of) -> None:
    large = dataclasses.replace(collage, width=640, background=torch.zeros(1, 64, 640, 3))
    assert picture_of(large).shape[2] == 640


def test_numbers_stand_where_their_layers_show(collage, picture_of) -> None:
    """White ink in the middle of each half, nowhere else of the picture."""
    ink = picture_of(collage)[0, :512].amin(-1) > 0.93
    rows, columns = ink.nonzero().unbind(1)
    assert ((rows - 256).abs() < 20).all()
    assert ((columns % 256 - 128).abs() < 20).all()
    assert set((columns // 256).tolist()) == {0, 1}


def test_the_legend_goes_from_top_to_bottom(collage, legend) -> None:
    lines = [(row.number, row.words, row.noise) for row in legend.legend_rows(collage, 0.6)]
    assert lines == [("2", "rice", 1.0), ("1", "sushi", 0.2), ("", "background", 0.6)]


def test_hidden_layers_have_no_line_and_keep_the_others_numbers(
    collage, picture_of, legend
) -> None:
    hidden = dataclasses.replace(collage.layers[0], visible=False)
    half = collage.with_layers((hidden, collage.layers[1]))
    assert [row.number for row in legend.legend_rows(half, 0.6)] == ["2", ""]
    assert picture_of(half).isfinite().all()


def test_an_edit_brings_the_backgrounds_noise(pack, collage, legend) -> None:
    edit = pack.collage_core.collage.collage.Edit(
        picture=torch.zeros(1, 64, 64, 3), base_noise=0.0, feather=0.0
    )
    edited = dataclasses.replace(collage, edit=edit)
    assert legend.legend_rows(edited, 0.6)[-1].noise == 0.0


def test_every_line_and_every_picture_of_a_batch_is_there(collage, picture_of) -> None:
    two = dataclasses.replace(collage, background=torch.zeros(2, 64, 64, 3))
    one_line = picture_of(collage.with_layers(collage.layers[:1]))
    assert picture_of(two).shape == (2, *picture_of(collage).shape[1:])
    assert picture_of(collage).shape[1] > one_line.shape[1]


@pytest.mark.parametrize("text", ["三文鱼寿司", "", "🍣" * 40, "very " * 200, "two\nlines"])
def test_no_words_break_it(collage, picture_of, text: str) -> None:
    odd = dataclasses.replace(collage.layers[0], text=text) if text else collage.layers[0]
    picture = picture_of(collage.with_layers((odd,)))
    assert picture.isfinite().all()


def test_words_of_any_script_stand_in_the_legend(pack, legend, monkeypatch) -> None:
    """Two words of one length are two pictures, unless no font has them: then both are "?"."""
    lettering = pack.collage_core.imaging.lettering

    def drawn(words: str):
        return legend._legend([legend.LegendRow("1", words, 0.3)], 512).tobytes()

    monkeypatch.setattr(lettering, "_font_of", lambda *_: None)
    assert drawn("寿司") == drawn("?") != drawn("")
    monkeypatch.undo()
    if lettering.pieces("寿司", 14)[0][0] != lettering.LOST:
        assert drawn("寿司") != drawn("醤油")
