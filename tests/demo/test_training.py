"""What is used while training only: the losses from inside, Muon, and the autoencoder's finish."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from comfy.ldm.modules.attention import attention_pytorch

from demo.architecture import AUTOENCODER, Autoencoder
from demo.judges import judge
from demo.train import autoencoder, diffusion, inside, latents, scenes, teacher
from demo.train.initial import initialise
from demo.train.latents import Captions
from demo.train.muon import Muon, orthogonal
from demo.train.painter import alphas_cumprod, build_text_encoder, build_unet, is_matrix


def test_a_direction_has_singular_values_near_one():
    matrix = torch.randn(40, 90) @ torch.diag(torch.logspace(0, -2, 90))
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.5
    assert values.max() < 1.4


def test_a_tall_direction_is_larger_by_the_root_of_its_proportion():
    values = torch.linalg.svdvals(orthogonal(torch.randn(160, 40)))
    assert values.median() == pytest.approx(2.0, rel=0.4)


def test_muon_turns_a_convolution_down_its_gradient():
    weight = torch.nn.Parameter(torch.randn(8, 4, 3, 3))
    before = weight.detach().clone()
    Muon([weight], lr=0.1)
    weight.grad = torch.randn_like(weight)
    Muon([weight], lr=0.1).step()
    step = weight.detach() - before
    assert (step * weight.grad).sum() < 0


def test_ends_and_embeddings_are_no_matrices_to_turn():
    weight = torch.nn.Parameter(torch.zeros(4, 4))
    assert is_matrix("unet.middle_block.0.weight", weight)
    for name in (
        "unet.input_blocks.0.0.weight",
        "unet.out.2.weight",
        "text.token_embedding.weight",
    ):
        assert not is_matrix(name, weight)
    assert not is_matrix("unet.middle_block.0.bias", torch.nn.Parameter(torch.zeros(4)))


@pytest.fixture
def watching() -> inside.Inside:
    return inside.Inside(build_unet())


def test_attention_that_is_watched_is_the_hosts(watching: inside.Inside):
    attend = watching.transformer_options()["optimized_attention_override"]
    q, k, v = torch.randn(2, 16, 64), torch.randn(2, 77, 64), torch.randn(2, 77, 64)
    expected = attention_pytorch(q, k, v, 4)
    assert torch.allclose(attend(attention_pytorch, q, k, v, 4), expected, atol=1e-5)
    assert watching.maps[0].shape == (2, 16, 77)
    assert torch.allclose(watching.maps[0].sum(-1), torch.ones(2, 16), atol=1e-5)


def test_self_attention_is_not_watched(watching: inside.Inside):
    attend = watching.transformer_options()["optimized_attention_override"]
    q = torch.randn(1, 16, 64)
    assert torch.equal(attend(attention_pytorch, q, q, q, 4), attention_pytorch(q, q, q, 4))
    assert not watching.maps


def grounded(inside_share: float) -> tuple[torch.Tensor, Any]:
    """Attention [1, 4, 77] of one phrase (token 1), `inside_share` of it on cells 0 and 1."""
    shares = torch.zeros(1, 4, 77)
    shares[0, :2, 1], shares[0, 2:, 1] = inside_share / 2, (1 - inside_share) / 2
    seen = torch.zeros(1, 1, 16, 16)
    seen[..., :8, :] = 1
    tokens_of = torch.zeros(1, 1, 77)
    tokens_of[..., 1] = 1
    return shares, SimpleNamespace(x=torch.zeros(1), tokens_of=tokens_of, seen=seen)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_grounding_is_the_squared_share_outside(watching: inside.Inside, share: float):
    attention, batch = grounded(share)
    watching.maps = [attention]
    assert float(watching.grounding_loss(batch)) == pytest.approx((1 - share) ** 2, abs=1e-4)


def test_a_dropped_caption_has_nothing_to_ground(watching: inside.Inside):
    attention, batch = grounded(0.0)
    batch.tokens_of = torch.zeros_like(batch.tokens_of)
    watching.maps = [attention]
    assert float(watching.grounding_loss(batch)) == 0.0


def test_phrases_are_found_wherever_they_stand():
    words = Captions()
    caption = "a red ball and a red cube on a wood table"
    tokens = words([caption])[0].tolist()
    red = words(["red"])[0].tolist()[1]
    assert words.places(caption, "red") == [i for i, token in enumerate(tokens) if token == red]
    assert len(words.places(caption, "red cube")) == 2
    assert words.places(caption, "blue cube") == []


def test_a_phrase_names_its_pattern():
    assert judge.pattern_of("red striped ball") == 1
    assert judge.pattern_of("red dotted ball") == 2
    assert judge.pattern_of("red ball") == 0


def test_a_scene_is_rendered_with_what_lies_in_its_cells():
    scene = scenes.render(0)
    assert scene.picture.shape == (256, 256, 3)
    assert scene.kinds.shape == scene.colors.shape == scene.patterns.shape == (32, 32)
    assert scene.masks.shape == (len(scene.phrases), 16, 16)
    assert scene.masks.max(0).min() > 100  # something is seen in every cell


def test_decoding_undoes_encoding_after_the_latents_are_normalised():
    torch.manual_seed(0)
    model = Autoencoder(**AUTOENCODER)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        before, z = model.decode(model.encode(x)), model.encode(x)
        autoencoder.normalise(model, z)
        after = model.decode(model.encode(x))
    middle = np.s_[..., 96:-96, 96:-96]  # the border is padded with another colour
    assert torch.allclose(before[middle], after[middle], rtol=1e-3, atol=1e-3)
    assert model.encode(x).mean((0, 2, 3)).abs().max() < 1e-4
    assert torch.allclose(model.encode(x).std((0, 2, 3)), torch.ones(8), atol=1e-4)


def knows(latent: torch.Tensor):
    """A network on SD1.5's schedule that knows the one picture there is: its exact velocity."""

    def predict(x: torch.Tensor, step: torch.Tensor, _context: Any) -> torch.Tensor:
        alpha = alphas_cumprod(x.device)
        low = step.floor().long()
        level = alpha[low].lerp(alpha[(low + 1).clamp(max=999)], step - low)
        a, s = level.sqrt()[:, None, None, None], (1 - level).sqrt()[:, None, None, None]
        return a * (x - a * latent) / s - s * latent

    return predict


def test_a_teacher_says_what_a_flow_learns():
    latent, noise = torch.randn(2, 6, 8, 4, 4)
    t = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9, 0.93])
    level = t[:, None, None, None]
    mixed = (1 - level) * latent + level * noise
    told = teacher.velocity(knows(latent), mixed, t, torch.zeros(6, 77, 8))
    torch.testing.assert_close(told, noise - latent, atol=0.02, rtol=0)


def test_beyond_its_noise_a_teacher_says_nothing():
    latest = teacher.noisiest(torch.device("cpu"))
    assert latest == pytest.approx(0.936, abs=0.001)
    t = torch.tensor([latest - 0.01, latest + 0.01])
    truth = torch.ones(2, 8, 4, 4)
    silent: Any = SimpleNamespace(unet=lambda x, *_: torch.zeros_like(x), context=lambda _: None)
    targets = teacher.Teacher(silent).targets(truth, t, truth, torch.zeros(2, 77))
    assert targets[1].eq(1).all()
    assert not targets[0].eq(1).any()


def test_muon_turns_each_of_its_matrices_as_if_it_were_alone():
    together = [torch.nn.Parameter(torch.randn(8, 12)) for _ in range(3)]
    alone = [torch.nn.Parameter(weight.detach().clone()) for weight in together]
    for weight, other in zip(together, alone, strict=True):
        weight.grad = torch.randn(8, 12)
        other.grad = weight.grad.clone()
        Muon([other], lr=0.1).step()
    Muon(together, lr=0.1).step()
    for weight, other in zip(together, alone, strict=True):
        torch.testing.assert_close(weight, other)


def test_the_text_encoder_learns_through_the_hosts_additions_in_place():
    encoder = build_text_encoder()
    initialise(encoder)
    tokens = Captions()(["a red ball"])
    transformer: Any = encoder.transformer
    transformer(tokens)[0].square().mean().backward()
    weight = encoder.get_parameter(
        "transformer.text_model.encoder.layers.0.self_attn.q_proj.weight"
    )
    assert weight.grad is not None
    assert weight.grad.abs().max() > 0


@pytest.fixture
def two_scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> latents.Scenes:
    """A red ball twice and a cube, and a scene of one ball; latents that count from 0."""
    monkeypatch.setattr(scenes, "FOLDER", tmp_path)
    monkeypatch.setattr(latents, "FOLDER", tmp_path / "latents")
    words = [
        {"caption": "a red ball and a cube", "phrases": ["red ball", "cube", "red ball"]},
        {"caption": "a ball", "phrases": ["ball"]},
    ]
    masks = np.zeros((4, 16, 16), np.uint8)
    masks[0, :, 0], masks[1, :, 5], masks[2, :, 2], masks[3, :, 15] = 255, 255, 51, 255
    shard = {name: np.zeros((2, 32, 32), np.uint8) for name in latents.LABELS}
    shard["kinds"][:, :, 0] = 7
    shard |= {"words": np.array(json.dumps(words)), "masks": masks}
    scenes.path_of(0).touch()
    (tmp_path / "latents").mkdir()
    x = np.arange(2 * 2 * 8 * 32 * 32).reshape(2, 2, 8, 32, 32).astype(np.float16)
    np.savez(latents.path_of(scenes.path_of(0)), x=x, **latents.texts(Captions(), shard))
    data = latents.Scenes()
    data.refresh()
    return data


def drawn(data: latents.Scenes, *, dropped: bool, mirrored: bool) -> latents.Batch:
    flags = torch.tensor([dropped] * 2), torch.tensor([mirrored] * 2)
    return data.batch(torch.arange(2), 32, *flags)


def test_a_scene_is_drawn_with_its_words_and_where_each_is_seen(two_scenes: latents.Scenes):
    batch = drawn(two_scenes, dropped=False, mirrored=False)
    assert batch.seen[0, 0, 0, :4].tolist() == pytest.approx([1, 0, 0.2, 0])  # both red balls
    assert batch.seen[0, 1, 0, 5] == 1
    assert batch.tokens_of[0, :3].sum(-1).tolist() == [2, 1, 0]
    assert batch.labels["kinds"][0, 0, :2].tolist() == [7, 0]
    assert torch.equal(batch.tokens[1], Captions()(["a ball"])[0])


def test_a_mirrored_scene_has_mirrored_labels(two_scenes: latents.Scenes):
    plain = drawn(two_scenes, dropped=False, mirrored=False)
    turned = drawn(two_scenes, dropped=False, mirrored=True)
    assert torch.equal(turned.seen, plain.seen.flip(-1))
    assert torch.equal(turned.labels["kinds"], plain.labels["kinds"].flip(-1))
    assert torch.equal(turned.x, two_scenes.kept["x"][:, 1].float())
    assert torch.equal(turned.tokens, plain.tokens)


def test_a_scene_without_its_caption_has_no_words(two_scenes: latents.Scenes):
    batch = drawn(two_scenes, dropped=True, mirrored=False)
    assert torch.equal(batch.tokens[0], Captions()([""])[0])
    assert not batch.tokens_of.any()


def test_a_cooling_ends_with_its_pictures_or_its_time(monkeypatch: pytest.MonkeyPatch):
    clock = [100.0]
    monkeypatch.setattr(diffusion.time, "monotonic", lambda: clock[0])
    share = diffusion.cooling(1000, 400, seconds=10)
    assert share(1100) == pytest.approx(0.75)
    assert share(1400) == 0
    clock[0] = 105.0
    assert share(1100) == pytest.approx(0.5)
    clock[0] = 111.0
    assert share(1100) == 0
