"""CollageFromBatch and CollageFromLayers on the host: the outputs of a stack, and its words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture
def from_batch(node_of, temp_folder):
    node = node_of("CollageFromBatch")

    def run(**inputs) -> SimpleNamespace:
        output = node.execute(**{"texts": "", "prompt": ""} | inputs)
        names = [out.id for out in node.GET_SCHEMA().outputs]
        return SimpleNamespace(**dict(zip(names, output.args, strict=True)), ui=output.ui)

    return run


def test_a_photo_and_the_masks_of_its_things_become_a_stack(from_batch) -> None:
    photo, masks = torch.rand(1, 64, 96, 3), torch.zeros(2, 64, 96)
    masks[0, :40, :50], masks[1, 30:, 60:] = 1, 1
    out = from_batch(images=photo, masks=masks, texts="a mug\na lemon")
    assert torch.equal(out.image, photo)
    assert torch.equal(out.visible_masks, masks)
    assert out.prompt == "a mug, a lemon"
    assert "Canvas 96 x 64 pixels, 2 of 2 layers shown" in out.report
    assert out.ui["report"] == out.report.splitlines()
    assert out.ui["images"]


@pytest.fixture
def layered_vae():
    """A small VAE of the class and of the four channels that qwen_image_layered_vae has."""
    import comfy.ldm.wan.vae
    import comfy.sd

    torch.manual_seed(0)
    wan = comfy.ldm.wan.vae.WanVAE(
        dim=8,
        z_dim=16,
        dim_mult=[1, 2, 4, 4],
        num_res_blocks=2,
        attn_scales=[],
        temperal_downsample=[False, True, True],
        image_channels=4,
        conv_out_channels=4,
        dropout=0.0,
    )
    for weight in wan.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    return comfy.sd.VAE(sd=wan.state_dict())


def test_the_pictures_of_qwen_image_layered_become_a_stack(from_batch, layered_vae) -> None:
    import comfy_extras.nodes_post_processing  # noqa: F401  the host imports it first, too
    from comfy_extras.nodes_latent import LatentCutToBatch
    from comfy_extras.nodes_qwen import EmptyQwenImageLayeredLatentImage

    import nodes

    (latent,) = EmptyQwenImageLayeredLatentImage.execute(64, 96, 2).args
    latent["samples"].normal_(generator=torch.Generator().manual_seed(0))
    (cut,) = LatentCutToBatch.execute(latent, "t", 1).args
    (pictures,) = nodes.VAEDecode().decode(layered_vae, cut)
    assert pictures.shape == (3, 96, 64, 4)  # the whole picture, then its layers
    out = from_batch(images=pictures[1:], texts="a table\na mug")
    assert out.image.shape == (1, 96, 64, 3)
    alpha = [layer.alpha for layer in out.collage.layers]
    assert [one.amin() < one.amax() for one in alpha] == [True, True]
    first, second = out.collage.layers
    assert torch.equal(second.image[0], pictures[2, ..., :3].clamp(0, 1))
    assert torch.equal(first.alpha[0], pictures[1, ..., 3].clamp(0, 1))


def test_its_outputs_are_those_of_a_stack(node_of) -> None:
    ids = [
        [(out.id, out.get_io_type()) for out in node_of(name).GET_SCHEMA().outputs]
        for name in ("CollageStack", "CollageFromBatch", "CollageFromLayers")
    ]
    assert ids[0] == ids[1] == ids[2]


def test_messages_about_words_name_the_node(from_batch, refused) -> None:
    said = refused(from_batch, images=torch.rand(1, 64, 64, 3), texts="a mug", prompt="a lemon")
    assert said.startswith('CollageFromBatch, layer 1 "a mug", input text: does not stand')


def test_too_little_is_refused_before_a_run(node_of, refused) -> None:
    node = node_of("CollageFromBatch")
    said = refused(node.validate_inputs, texts="", prompt="", images=None)
    assert said.startswith("CollageFromBatch, input texts: it is empty, and so is the prompt")
    assert node.validate_inputs(texts=None, prompt="", images=None) is True  # over a link


def test_layers_of_the_host_become_a_stack(node_of, temp_folder) -> None:
    image = torch.rand(1, 24, 16, 3)
    items = [{"type": "raster", "image": image, "name": "a mug", "x": 8, "y": 16, "z_index": 0}]
    value = {"version": 1, "layers": items, "canvas": (64, 48)}
    out = node_of("CollageFromLayers").execute(layers=value, prompt="a mug", noise=0.3)
    collage, picture, masks, prompt, report = out.args
    assert torch.equal(picture[:, 16:40, 8:24], image)
    assert masks.sum() == 24 * 16
    assert prompt == "a mug"
    assert collage.layers[0].noise == 0.3
    assert "Canvas 64 x 48 pixels, 1 of 1 layers shown" in report


def test_layers_reach_the_node_over_a_link_of_their_type(node_of) -> None:
    (socket,) = [
        one for one in node_of("CollageFromLayers").GET_SCHEMA().inputs if one.id == "layers"
    ]
    assert socket.get_io_type() == "LAYERS"
    assert (
        node_of("CollageFromLayers").validate_inputs(layers=None, prompt="a mug", noise=0.6) is True
    )


def test_words_missing_from_the_prompt_are_told_in_the_node_s_name(node_of, refused) -> None:
    value = {"version": 1, "layers": [{"image": torch.rand(1, 8, 8, 3), "name": "a mug"}]}
    run = node_of("CollageFromLayers").execute
    said = refused(run, layers=value, prompt="a lemon", noise=0.6)
    assert said.startswith('CollageFromLayers, layer 1 "a mug", input text: does not stand')


def test_it_runs_in_a_graph_and_shows_its_report(api, write_png) -> None:
    write_png("mug.png", "RGBA", (255, 0, 0, 255), (64, 64))
    prompt = {
        "load": {"class_type": "LoadImage", "inputs": {"image": "mug.png"}},
        "stack": {
            "class_type": "CollageFromBatch",
            "inputs": {
                "images": ["load", 0], "texts": "", "prompt": "a mug",
            },
        },
        "larger": {
            "class_type": "CollageResize",
            "inputs": {"collage": ["stack", 0], "factor": 2.0, "noise": 0.5},
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["larger", 1]}},
    }  # fmt: skip
    done = api(prompt)
    assert (done.refused, done.error) == ("", "")
    assert "Canvas 64 x 64 pixels, 1 of 1 layers shown" in done.ui["stack"]["report"][0]
    prompt["stack"]["inputs"]["prompt"] = ""
    assert "it is empty, and so is the prompt" in api(prompt).refused
