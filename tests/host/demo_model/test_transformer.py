"""The demo model's transformer: packed by its training, loaded as a MODEL and CLIP of the host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import comfy.model_management
import comfy.model_sampling
import pytest
import torch

import nodes as host_nodes
from demo.architecture import AUTOENCODER, LATENT_CHANNELS, WORDS, Autoencoder
from demo.train import autoencoder, flow, packing, workshop
from demo.train.painter import Training, build_text_encoder

SCENE = "a red ball and a blue cube on a wood table"
SEEN = 640  # pictures


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def trained(patched: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training state of random weights, and the folder that `pack_flow` wrote it to."""
    folder = tmp_path_factory.mktemp("train")
    patched.setattr(workshop, "WORKSHOP", folder)
    patched.setattr(workshop, "LOG", folder / "log.jsonl")
    patched.setattr(packing, "TRANSFORMER_FILE", folder / "demo_transformer.safetensors")
    # without rendering scenes
    patched.setattr(packing, "used_words", lambda: torch.arange(0, 49408, 3))
    patched.setattr(packing, "preview_factors", lambda _: [[0.1] * 3] * (LATENT_CHANNELS + 1))
    patched.setattr(autoencoder, "load_model", lambda: Autoencoder(**AUTOENCODER))
    patched.setattr(comfy.model_management, "in_training", False)  # a training sets it for good
    torch.manual_seed(0)
    workshop.save("flow_text", random(build_text_encoder(WORDS).transformer.state_dict()))
    training = Training("flow", painter=flow.FlowPainter.fresh())
    training.painter.average = random(training.painter.state())
    training.painter.seen = SEEN
    training.keep()
    packing.pack_flow()
    comfy.model_management.in_training = False
    return folder


def random(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: torch.randn_like(value) * 0.06 for name, value in state.items()}


@pytest.fixture(scope="module")
def loaded(pack: ModuleType, trained: Path, patched: pytest.MonkeyPatch) -> Any:
    """Its MODEL and CLIP, and the VAE of both networks."""
    weights = pack.nodes.host.demo_model.weights
    shipped = weights.FOLDER / f"{weights.FILE}.safetensors"
    (trained / shipped.name).symlink_to(shipped)
    patched.setattr(weights, "FOLDER", trained)
    with torch.inference_mode():
        return pack.nodes.host.demo_model.loader.load_all("transformer")


def pixels(height: int, width: int) -> dict[str, torch.Tensor]:
    """An opaque layer's."""
    return {"image": torch.zeros(1, height, width, 3), "alpha": torch.ones(1, height, width)}


def encode(clip: Any, text: str) -> list:
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


@torch.inference_mode()
def sample(model: Any, positive: list, negative: list, cells: tuple[int, int]) -> torch.Tensor:
    latent = {"samples": torch.zeros(1, LATENT_CHANNELS, *cells)}
    options = (0, 2, 3.0, "euler", "simple", positive, negative, latent)
    return host_nodes.common_ksampler(model, *options)[0]["samples"]


def test_it_is_a_flow_whose_text_steers_it(loaded) -> None:
    model, clip, _ = loaded
    assert isinstance(model.get_model_object("model_sampling"), comfy.model_sampling.CONST)
    nothing = encode(clip, "")
    one = sample(model, encode(clip, SCENE), nothing, (32, 32))
    other = sample(model, encode(clip, "a bento box with rice"), nothing, (32, 32))
    assert one.isfinite().all()
    assert (one - other).abs().mean() > 1e-3


def test_it_computes_what_was_trained(loaded, trained: Path) -> None:
    """Prediction, text and time: a step of sampling is a step along the trained velocity."""
    model, clip, _ = loaded
    painter = flow.FlowPainter.fresh()
    comfy.model_management.in_training = False
    kept = workshop.load("flow")
    assert kept is not None
    state = {k: v.half().float() for k, v in kept["average"].items()}
    painter.load(state)
    text = {k: v.half().float() for k, v in (workshop.load("flow_text") or {}).items()}
    table = "text_model.embeddings.token_embedding.weight"
    text[table] = clip.cond_stage_model.clip_l.transformer.state_dict()[table].float()
    painter.text_encoder.transformer.load_state_dict(text)
    tokens = torch.tensor([[token for token, _ in clip.tokenize(SCENE)["l"][0]]])
    x = torch.randn(1, LATENT_CHANNELS, 16, 16)
    time = torch.tensor([0.7])
    with torch.inference_mode():
        wanted = painter.network(x, time, painter.context(tokens), WORDS)
        features = encode(clip, SCENE)[0][0]
        denoised = model.model.apply_model(x, time, c_crossattn=features, num_tokens=WORDS)
    torch.testing.assert_close((x - denoised) / time, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("cells", [(32, 32), (33, 27)])
def test_it_takes_words_to_places(pack: ModuleType, loaded, cells: tuple[int, int]) -> None:
    """`tests/host/transformers` proves on random shapes of its class where they go."""
    model, clip, _ = loaded
    core, (height, width) = pack.collage_core, (side * 8 for side in cells)
    layer = core.collage.layer.Layer(**pixels(height, width // 2), text="red ball", x=0.25)
    canvas = {"width": width, "height": height, "background": torch.zeros(1, height, width, 3)}
    collage = core.collage.collage.Collage(**canvas, prompt=SCENE, layers=(layer,))
    patch = pack.nodes.attention.MaskedCrossAttentionPatch.execute
    nothing, painted = encode(clip, ""), []
    for strength in (0.0, 4.0):
        with torch.inference_mode():
            biased, positive, *_ = patch(model, clip, collage, "constant", strength, 0.0, 1.0).args
        painted.append(sample(biased, positive, nothing, cells))
    plain = sample(model, encode(clip, SCENE), nothing, cells)
    assert torch.equal(painted[0], plain)
    assert (painted[1] - plain).abs().max() > 1e-5


def test_training_goes_on_from_what_is_packed(trained: Path) -> None:
    kept = workshop.load("flow")
    assert kept is not None
    workshop.remove("flow", "flow_text")
    packing.unpack_flow()
    comfy.model_management.in_training = False
    again = workshop.load("flow")
    assert again is not None
    assert again["seen"] == SEEN
    for name, value in kept["average"].items():
        torch.testing.assert_close(again["weights"][name], value.half().float(), rtol=0, atol=0)


def test_a_look_is_not_learned_with_it(pack: ModuleType, loaded) -> None:
    layer = pack.collage_core.collage.layer.Layer(**pixels(64, 64), text="red ball")
    learn = pack.nodes.inversion.LayerTextualInversion
    with pytest.raises(ValueError, match=r"SD1\.x, SD2.x and SDXL models learn a look"):
        learn.execute(*loaded, layer, "preview", 1, 0)
