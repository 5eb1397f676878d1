"""Learning and painting on a real ComfyUI, in every set-up that treats weights in its own way."""

from __future__ import annotations

import importlib.util
import io
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from launcher.base_folder import fresh_base
from launcher.host import find_host
from launcher.server import Server, start_server

from .conftest import REHEARSE


@dataclass(frozen=True)
class SetUp:
    """Arguments of ComfyUI, the package they want, and what it then says in its log."""

    arguments: tuple[str, ...] = ()
    package: str = ""
    says: str = ""


SETUPS = {
    "dynamic VRAM": SetUp(says="DynamicVRAM support detected and enabled"),
    "no dynamic VRAM": SetUp(("--disable-dynamic-vram",)),
    "offload": SetUp(("--disable-dynamic-vram", "--novram"), says="Set vram state to: NO_VRAM"),
    "xformers": SetUp(package="xformers", says="Using xformers attention"),
    "sage": SetUp(("--use-sage-attention",), "sageattention", "Using sage attention"),
    "flash": SetUp(("--use-flash-attention",), "flash_attn", "Using Flash Attention"),
}
COMPILED = 2.0  # of 255: the mean change by compiling, whose arithmetic is another
CHECKPOINT = "random_sd15.safetensors"
MODELS = {
    "demo": ("CollageDemoModel", {}),
    "SD1.5": ("CheckpointLoaderSimple", {"ckpt_name": CHECKPOINT}),
}
# On a CPU: SD1.5 takes ten minutes there, and is run by `bench checkpoints`.
REHEARSED = (["no dynamic VRAM"], ["demo"])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ComfyUI finds SD1.5 in half precision, its weights random."""
    from demo.bench.checkpoints.random_checkpoint import write_checkpoint

    folder = tmp_path_factory.mktemp("models")
    if not REHEARSE:
        write_checkpoint(folder / CHECKPOINT)
    paths = folder / "paths.yaml"
    paths.write_text(f"gpu_tests:\n  base_path: {folder}\n  checkpoints: .\n")
    return paths


@pytest.fixture(scope="module", params=REHEARSED[0] if REHEARSE else SETUPS)
def running(request: pytest.FixtureRequest, models: Path) -> Iterator[tuple[str, Server]]:
    set_up = SETUPS[request.param]
    if set_up.package and not importlib.util.find_spec(set_up.package):
        pytest.skip(f"{set_up.package} is not installed")
    host = find_host(os.environ["COMFYUI_PATH"])
    arguments = (*set_up.arguments, "--extra-model-paths-config", str(models))
    with (
        fresh_base() as base,
        start_server(host, base, name="gpu", arguments=arguments) as server,
    ):
        assert set_up.says in server.log.read_text(errors="replace")
        yield request.param, server


@pytest.mark.parametrize("model", REHEARSED[1] if REHEARSE else MODELS)
def test_a_layer_is_learned_and_painted(running, tell, model: str) -> None:
    """Twice, as what a training gave back may be what the model goes on using."""
    name, server = running
    pictures = []
    for seed in (1, 2):
        begun = time.monotonic()
        learned, picture = run(server, graph(model, seed))
        took, said = round(time.monotonic() - begun, 1), learned.splitlines()
        tell("learned and painted", set_up=name, model=model, seed=seed, seconds=took, report=said)
        assert said[0].startswith("gain ")
        pictures.append(picture)
    assert pictures[0] != pictures[1]


@pytest.mark.skipif(REHEARSE, reason="compiling takes minutes on a CPU")
def test_a_compiled_model_paints_the_same_picture(running, tell) -> None:
    """A model in which words stand in their places, through ComfyUI's TorchCompileModel."""
    name, server = running
    if name != "dynamic VRAM":
        pytest.skip("compiled once is enough")
    prompt = graph("demo", 1)
    del prompt["5"], prompt["10"]
    prompt["6"]["inputs"]["layers.layer0"] = ["4", 0]
    plain = painted(server, prompt)["9"]
    compiling = {"model": ["7", 0], "backend": "inductor"}
    prompt["12c"] = {"class_type": "TorchCompileModel", "inputs": compiling}
    prompt["8"]["inputs"]["model"] = ["12c", 0]
    compiled = painted(server, prompt)["9"]
    apart = mean_difference(fetched(server, plain), fetched(server, compiled))
    tell("a compiled model's picture", apart_of_255=apart)
    assert apart < COMPILED


def painted(server: Server, prompt: dict) -> dict:
    return server.client.wait(server.client.queue(prompt), timeout=280)


def fetched(server: Server, output: dict) -> bytes:
    return server.client.fetch(output["images"][0])


def mean_difference(first: bytes, second: bytes) -> float:
    """Of all channels of all pixels, of 255."""
    with Image.open(io.BytesIO(first)) as one, Image.open(io.BytesIO(second)) as other:
        difference = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return sum(ImageStat.Stat(difference).mean) / 3


def run(server: Server, prompt: dict) -> tuple[str, bytes]:
    """The report of the training, and a picture with something in it."""
    outputs = painted(server, prompt)
    picture = fetched(server, outputs["9"])
    with Image.open(io.BytesIO(picture)) as image:
        spread = ImageStat.Stat(image.convert("L")).stddev[0]
    assert spread > 0, "the picture is one colour, as NaN would be"
    return outputs["10"]["text"][0], picture


def graph(model: str, seed: int) -> dict:
    """Learn the look of a red square, and paint it; without LoadImage, which wants PyAV."""
    side = 256 if model == "demo" else 512
    kind, inputs = MODELS[model]
    square = {"width": 96, "height": 96, "batch_size": 1, "color": 0xC04020}
    layer = {"image": ["3", 0], "text": "cube", "x": 0.5, "y": 0.5, "noise": 0.8}
    both = {"model": ["1", 0], "clip": ["1", 1]}
    canvas = {"width": side, "height": side, "background": "#8a6a4a", "prompt": "a cube on a table"}
    return {
        "1": {"class_type": kind, "inputs": inputs},
        "3": {"class_type": "EmptyImage", "inputs": square},
        "4": {"class_type": "CollageLayer", "inputs": {**LAYER, **layer}},
        "5": {
            "class_type": "LayerTextualInversion",
            "inputs": {
                **both, "vae": ["1", 2], "layer": ["4", 0], "preset": "preview", "seed": seed,
                "steps": 2 if REHEARSE else 6,
            },
        },
        "6": {
            "class_type": "CollageStack",
            "inputs": {**canvas, "layers.layer0": ["5", 0]},
        },
        "7": {
            "class_type": "MaskedCrossAttentionPatch",
            "inputs": {**both, "collage": ["6", 0], **PATCH},
        },
        "11": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": ""}},
        "8": {
            "class_type": "PerLayerNoiseKSampler",
            "inputs": {
                "model": ["7", 0], "positive": ["7", 1], "negative": ["11", 0], "vae": ["1", 2],
                "collage": ["6", 0], "steps": 2 if REHEARSE else 8, "seed": seed, **PAINT,
            },
        },
        "12": {"class_type": "VAEDecode", "inputs": {"samples": ["8", 0], "vae": ["1", 2]}},
        "9": {"class_type": "PreviewImage", "inputs": {"images": ["12", 0]}},
        "10": {"class_type": "PreviewAny", "inputs": {"source": ["5", 3]}},
    }  # fmt: skip


LAYER = {
    "scale": 1.0, "rotation": 0.0, "opacity": 1.0, "attract": 0.3, "repel": 0.5, "control": 1.0,
    "visible": True,
}  # fmt: skip
PATCH = {"schedule": "paper", "strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}
PAINT = {
    "cfg": 4.0, "sampler_name": "dpmpp_2m_sde", "scheduler": "normal", "base_noise": 0.8,
    "feather": 4.0,
}  # fmt: skip
