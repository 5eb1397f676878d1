"""The nodes on models whose latents are not those of SD: other cells, other channels, a frame."""

from __future__ import annotations

import pytest
import torch

CELLS = {"flux2": (128, 16), "hunyuan_image": (64, 32), "lens": (128, 16)}  # channels, pixels
GIVEN = {
    "seed": 5, "steps": 3, "cfg": 2.0, "sampler_name": "euler", "scheduler": "simple",
    "base_noise": 0.8, "feather": 0.0,
}  # fmt: skip


@pytest.fixture(scope="session")
def make_vae(tiny, wan_vae):
    """A random VAE of the host for the latents of a family."""

    def make(family: str):
        if family in CELLS:
            channels, pixels = CELLS[family]
            return tiny.tiny_vae(latent_channels=channels, cell=pixels)
        return wan_vae()

    return make


@pytest.fixture
def make_collage(pack):
    """A canvas of `size` (height, width) whose left half is covered by one layer."""

    def make(size: tuple[int, int], *, noise: float = 0.0):
        core, (height, width) = pack.collage_core.collage, size
        generator = torch.Generator().manual_seed(11)
        layer = core.layer.Layer(
            image=torch.rand(1, height, width // 2, 3, generator=generator),
            alpha=torch.ones(1, height, width // 2), text="sushi", x=0.25, noise=noise,
        )  # fmt: skip
        background = torch.rand(1, height, width, 3, generator=generator)
        return core.collage.Collage(
            width=width, height=height, prompt="sushi", background=background, layers=(layer,)
        )

    return make


@pytest.fixture
def sample(pack, transformers, make_vae):
    def run(family: str, collage, **inputs):
        prompts = {
            "positive": transformers.text(family, seed=3),
            "negative": transformers.text(family, seed=8),
        }
        given = {"model": transformers.tiny_transformer(family), "vae": make_vae(family)}
        node = pack.nodes.sampling.PerLayerNoiseKSampler
        return node.execute(collage=collage, **{**GIVEN, **prompts, **given, **inputs}).args

    return run


@pytest.mark.parametrize("family", ["flux2", "hunyuan_image", "qwen_image", "wan"])
@pytest.mark.parametrize("more", [{}, {"halo": 24, "feather": 6.0}, {"layer_seeds": "1: 7"}])
def test_the_sampler_takes_the_latents_of_a_family(
    pack, sample, make_vae, make_collage, family, more
) -> None:
    vae, collage = make_vae(family), make_collage((96, 192))
    latent, noise_map, _ = sample(family, collage, vae=vae, **more)
    encoded, cell = vae.encode(collage.composite.image), vae.spacial_compression_encode()
    found = latent["samples"]
    assert found.shape == encoded.shape == (1, encoded.shape[1], *encoded.shape[2:])
    assert found.ndim == (5 if vae.latent_dim == 3 else 4)
    cells = pack.collage_core.noise.noise_map.cell_noise(noise_map.unsqueeze(1), cell)
    fixed = pack.collage_core.noise.release.fixed_cells(cells)
    fixed = fixed.unsqueeze(2) if found.ndim == 5 else fixed
    same = (found == encoded).all(1, keepdim=True)
    assert torch.equal(same, fixed)
    assert same.any()
    assert not same.all()
    again, _, _ = sample(family, collage, vae=vae, latent_image=latent, **more)
    assert again["samples"].shape == found.shape


@pytest.mark.parametrize(
    ("family", "size", "told"),
    [
        ("flux2", (136, 272), "multiples of 16 pixels, and 272 x 136 is none; 272 x 144 is"),
        ("hunyuan_image", (128, 144), "multiples of 32 pixels, and 144 x 128 is none; 160 x 128"),
        ("kandinsky5", (128, 136), "multiples of 16 pixels, and 136 x 128 is none; 144 x 128 is"),
    ],
)
def test_a_canvas_whose_rim_would_be_cut_off_is_refused(
    pack, sample, make_collage, family, size, told
) -> None:
    with pytest.raises(pack.collage_core.errors.CollageError, match=told):
        sample(family, make_collage(size))


def test_odd_numbers_of_cells_are_no_problem_where_the_network_pads(sample, make_collage) -> None:
    latent, _, _ = sample("qwen_image", make_collage((72, 136)))
    assert latent["samples"].shape == (1, 16, 1, 9, 17)


def test_a_latent_of_all_of_the_canvas_is_no_crop(
    pack, make_case, make_bias, transformers, predict, caplog
) -> None:
    """A canvas of 272 x 208 pixels and cells of 16 pixels."""
    case, with_bias = make_case("flux2"), pack.nodes.host.attention.conditioning.with_bias
    for pixels, told in (((34, 26), False), ((17, 13), True)):
        caplog.clear()
        positive = with_bias(transformers.text("flux2"), make_bias(pixels))
        with caplog.at_level("INFO"):
            predict(case.patched, {"positive": positive}, case.x, case.sigma)
        assert ("is taken for all of the canvas" in caplog.text) == told


@pytest.mark.parametrize("family", ["flux2", "hunyuan_image", "qwen_image"])
def test_a_round_of_editing_keeps_every_byte_outside(
    node_of, in_graph, sample, make_vae, make_collage, family
) -> None:
    import nodes

    vae, collage = make_vae(family), make_collage((96, 192))
    first, *_ = sample(family, collage, vae=vae)
    (picture,) = nodes.VAEDecode().decode(vae, first)
    assert picture.shape == (1, 96, 192, 3)
    edited, _, noise, *_ = in_graph(
        "CollageEdit", {}, collage=collage, image=picture, layers="1", noise=0.7, phrase="",
        feather=3.0, paste=False,
    )  # fmt: skip
    second, noise_map, _ = sample(family, edited, vae=vae)
    assert torch.equal(noise_map, noise)
    (new,) = nodes.VAEDecode().decode(vae, second)
    back, taken = node_of("CollagePasteBack").execute(picture, new, 4.0, collage=edited).args
    assert torch.equal(back[taken == 0], picture[taken == 0])
    assert torch.equal(back[taken == 1], new[taken == 1])
    assert (taken > 0).any()
    assert (taken == 0).any()
