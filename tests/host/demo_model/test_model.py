"""The demo model behaves like any checkpoint's MODEL, CLIP and VAE."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch

import nodes as host_nodes
from demo.architecture import LATENT_CHANNELS

MOST_BYTES = 40_000_000


@pytest.fixture(scope="module")
def loaded(pack: ModuleType):
    with torch.inference_mode():
        yield pack.nodes.demo_model.CollageDemoModel.execute().result


def sample(model, clip, text: str, seed: int = 0, steps: int = 2) -> torch.Tensor:
    positive = clip.encode_from_tokens_scheduled(clip.tokenize(text))
    negative = clip.encode_from_tokens_scheduled(clip.tokenize(""))
    latent = {"samples": torch.zeros(1, LATENT_CHANNELS, 32, 32)}
    options = (seed, steps, 3.0, "euler", "normal", positive, negative, latent)
    return host_nodes.common_ksampler(model, *options)[0]["samples"]


def test_the_weight_file_is_small(pack: ModuleType) -> None:
    host = pack.nodes.host.demo_model
    file = host.weights.FOLDER / f"{host.weights.FILE}.safetensors"
    assert file.stat().st_size <= MOST_BYTES


def test_the_text_steers_the_picture(loaded) -> None:
    model, clip, _ = loaded
    with torch.inference_mode():
        red = sample(model, clip, "a red ball on a wood table before a blue wall")
        again = sample(model, clip, "a red ball on a wood table before a blue wall")
        other = sample(model, clip, "a bento box with rice, edamame and ginger on a green cloth")
    torch.testing.assert_close(red, again, rtol=0, atol=0)
    assert (red - other).abs().mean() > 0.1
    assert red.isfinite().all()


def test_the_autoencoder_gives_a_picture_back(loaded) -> None:
    vae = loaded[2]
    from demo import world

    picture = torch.from_numpy(world.scene(5_100_000, "toys").picture)[None]
    with torch.inference_mode():
        restored = vae.decode(vae.encode(picture))
    assert restored.shape == picture.shape
    assert (restored - picture).abs().mean() < 0.04


def test_a_clone_takes_a_patch_and_leaves_the_model_alone(loaded) -> None:
    model, clip, _ = loaded
    with torch.inference_mode():
        before = sample(model, clip, "a teddy bear on a stone floor before a pink wall")
        patched = model.clone()
        weights = model.model.state_dict()
        key = next(key for key, value in weights.items() if value.ndim > 1)
        weight = weights[key]
        taken = patched.add_patches({key: ("diff", (torch.ones_like(weight),))}, 0.3)
        assert list(taken) == [key]
        changed = sample(patched, clip, "a teddy bear on a stone floor before a pink wall")
        after = sample(model, clip, "a teddy bear on a stone floor before a pink wall")
    assert (changed - before).abs().mean() > 1e-3
    torch.testing.assert_close(after, before, rtol=0, atol=0)


def test_an_embedding_file_works_in_its_prompts(loaded, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    clip = loaded[1]
    save_file({"emb_params": torch.randn(2, 128)}, tmp_path / "my_look.safetensors")
    tokenizer = clip.clone().tokenizer.clip_l
    known = tokenizer.embedding_directory
    tokenizer.embedding_directory = [str(tmp_path)]
    try:
        tokens = clip.tokenize("a embedding:my_look ball")["l"][0]
    finally:
        tokenizer.embedding_directory = known
    vectors = [token for token, _ in tokens if isinstance(token, torch.Tensor)]
    assert [vector.shape for vector in vectors] == [(128,), (128,)]


def test_a_missing_weight_file_is_told_in_one_sentence(
    pack: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host = pack.nodes.host.demo_model
    monkeypatch.setattr(host.weights, "FOLDER", tmp_path)
    path = tmp_path / f"{host.weights.FILE}.safetensors"
    for data in (None, b"not weights"):
        if data is not None:
            path.write_bytes(data)
        said = f"CollageDemoModel: the weight file demo/weights/{path.name}"
        with pytest.raises(ValueError, match=said):
            host.loader.load_all()


def test_previews_use_the_models_own_colours(loaded) -> None:
    latent_format = loaded[0].get_model_object("latent_format")
    assert torch.tensor(latent_format.latent_rgb_factors).shape == (LATENT_CHANNELS, 3)
    assert len(latent_format.latent_rgb_factors_bias) == 3


def test_a_deep_clone_has_weights_of_its_own(loaded) -> None:
    model = loaded[0]
    own = model.clone(force_deepcopy=True)
    mine, theirs = (next(m.model.diffusion_model.parameters()) for m in (model, own))
    assert mine.data_ptr() != theirs.data_ptr()
    torch.testing.assert_close(mine, theirs)
