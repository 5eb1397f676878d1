"""CollageLayer and CollageStack called directly."""

from __future__ import annotations

import resource

import pytest
import torch
from PIL import Image
from torch.testing import assert_close

GREY = "#969696"


def test_every_float_of_a_layer_has_the_range_it_is_checked_with(node_of, pack):
    floats = {
        i.id: (i.min, i.max)
        for i in node_of("CollageLayer").GET_SCHEMA().inputs
        if i.get_io_type() == "FLOAT"
    }
    assert floats == pack.collage_core.collage.limits.LAYER_RANGES


def test_a_layer_keeps_all_its_settings(layer, pack):
    settings = {
        name: high for name, (_, high) in pack.collage_core.collage.limits.LAYER_RANGES.items()
    }
    made = layer("hat", **settings, visible=False)
    assert {name: getattr(made, name) for name in settings} == settings
    assert (made.text, made.visible) == ("hat", False)


def test_a_stack_returns_picture_masks_prompt_and_report(layer, stack):
    red = torch.tensor([1.0, 0, 0]).expand(1, 16, 16, 3)
    out = stack(layer("bear", x=0.25), layer("hat", x=0.3125, image=red, noise=0.2))
    assert out.image.shape == (1, 64, 64, 3)
    assert_close(out.image[0, 32, 10], torch.ones(3))
    assert_close(out.image[0, 32, 20], red[0, 0, 0])
    assert_close(out.image[0, 0, 0], torch.full((3,), 150 / 255))
    assert out.visible_masks.shape == (2, 64, 64)
    assert out.visible_masks.sum((1, 2)).tolist() == [16 * 4, 16 * 16]
    assert out.prompt == "a bear and a hat"
    assert '2 "hat": characters 14 to 16' in out.report
    assert [one.text for one in out.collage.layers] == ["bear", "hat"]


def test_layers_come_in_the_order_of_their_numbers(layer, node_of):
    names = [f"layer{i}" for i in (10, 9, 2)]
    layers = {name: layer(f"thing {name}") for name in names}
    prompt = "thing layer2 thing layer9 thing layer10"
    stack = node_of("CollageStack").execute(prompt, 64, 64, GREY, layers).args[0]
    assert [one.text for one in stack.layers] == ["thing layer2", "thing layer9", "thing layer10"]


def test_masks_of_batches_come_layer_by_layer(layer, stack):
    pictures = torch.ones(3, 16, 16, 3)
    mask = torch.tensor([0.0, 1.0, 1.0])[:, None, None].expand(3, 16, 16)
    out = stack(layer("bear", image=pictures), layer("hat", image=pictures, mask=mask))
    assert out.image.shape == (3, 64, 64, 3)
    # the bear under the hat, alone, alone; the hat, no hat, no hat
    assert out.visible_masks[:, 32, 32].tolist() == [0, 1, 1, 1, 0, 0]


def test_hidden_layers_have_no_mask(layer, stack):
    out = stack(layer("bear", visible=False), layer("hat"))
    assert out.visible_masks.shape == (1, 64, 64)
    out = stack(layer("bear", visible=False))
    assert out.visible_masks.shape == (1, 64, 64)
    assert out.visible_masks.max() == 0
    assert "No layer is shown" in out.report


def test_a_stack_shows_its_composite_on_the_node(layer, stack, temp_folder):
    (shown,) = stack(layer("bear")).ui["images"]
    picture = Image.open(temp_folder / "temp" / shown["filename"])
    assert picture.size == (64, 64)
    assert picture.getpixel((32, 32)) == (255, 255, 255)


def test_a_stack_on_a_stack(layer, stack):
    below = stack(layer("bear"), width=128, height=64, background="#ff0000").collage
    out = stack(layer("hat", x=0.1), collage=below, prompt="")
    assert out.image.shape == (1, 64, 128, 3)
    assert out.prompt == "a bear and a hat"
    assert out.visible_masks.shape[0] == 2
    assert "64 x 64 here is not used" in out.report
    picture = torch.zeros(1, 8, 8, 3)
    out = stack(layer("hat", x=0.1), collage=below, background_image=picture)
    assert out.image[0, 0, 127].max() == 0


def test_nodes_leave_their_inputs_alone(node_of, stack, layer):
    image, mask = torch.rand(1, 9, 9, 4) * 3 - 1, torch.rand(1, 5, 5)
    background = torch.rand(1, 70, 50, 4)
    copies = [tensor.clone() for tensor in (image, mask, background)]
    with torch.inference_mode():
        made = layer("bear", image=image, mask=mask, rotation=20.0, scale=0.7)
        below = stack(made).collage
        alpha = made.alpha.clone()
        stack(layer("hat"), collage=below, background_image=background)
    assert_close(made.alpha, alpha, rtol=0, atol=0)
    assert below.layers == (made,)
    for tensor, copy in zip((image, mask, background), copies, strict=True):
        assert_close(tensor, copy, rtol=0, atol=0)


@pytest.fixture
def free_memory(monkeypatch):
    """As much memory as a test says, whatever there is."""
    import comfy.model_management as management

    def leave(gigabytes: float) -> None:
        monkeypatch.setattr(management, "get_free_memory", lambda _device: gigabytes * 1e9)

    return leave


def test_a_canvas_beyond_the_memory_is_refused_with_a_figure_before_any_is_taken(
    pack, layer, stack, free_memory
):
    free_memory(16)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    many = [layer("bear")] * 64
    photo = torch.zeros(1, 1, 1, 3).expand(1, 8192, 8192, 3)
    said = (
        r"^CollageStack, a canvas of 8192 x 8192 pixels with 64 layers takes 22\.8 GB of memory "
        r"\(cpu\), and 16\.0 GB are free\. Use a smaller canvas, fewer layers or fewer pictures\.$"
    )
    with pytest.raises(pack.collage_core.errors.CollageError, match=said):
        stack(*many, width=8192, height=8192, background_image=photo)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_hidden_layers_take_no_memory_and_batches_do(pack, layer, stack, free_memory):
    free_memory(0.001)
    stack(layer("bear"), *[layer("hat", visible=False)] * 60)
    with pytest.raises(pack.collage_core.errors.CollageError, match=r"takes 0\.0 GB"):
        stack(layer("bear", image=torch.ones(8, 16, 16, 3)))


@pytest.mark.parametrize(
    ("name", "what"),
    [("CollageLayers", "CollageLayers, holding 64 x 64 pixels of each of 2 layers takes 0.0 GB"),
     ("CollageSplit", "CollageSplit, holding 64 x 64 pixels of each of 2 layers takes 0.0 GB")],
)  # fmt: skip
def test_nodes_that_take_a_stack_apart_reckon_their_memory(
    pack, node_of, layer, stack, free_memory, name, what
):
    made = stack(layer("bear"), layer("hat", x=0.2))
    inputs = {"collage": made.collage, "image": made.image}
    if name == "CollageLayers":
        inputs |= {"background": GREY, "base_noise": 0.5, "feather": 1.0}
    node_of(name).execute(**inputs)
    free_memory(0.0001)
    with pytest.raises(pack.collage_core.errors.CollageError, match=what):
        node_of(name).execute(**inputs)
