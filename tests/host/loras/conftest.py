"""LoRAs of layers on tiny random models, beside ComfyUI's own way to load them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parents[1]
WIDGETS = {"schedule": "paper", "strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}
PROMPT = "a red fox and a blue bear"


class Once:
    """A sampler that asks for one prediction of each conditioning, and keeps them."""

    def __init__(self, x: torch.Tensor):
        import comfy.samplers

        self.x, self.found, self.calc = x, {}, comfy.samplers.calc_cond_batch

    def max_denoise(self, *_) -> bool:
        return True

    def sample(self, *args, **_):
        guider, sigmas, extra_args = args[:3]
        level = sigmas[0].expand(len(self.x))
        conds = list(guider.conds.values())
        found = self.calc(guider.inner_model, conds, self.x, level, extra_args["model_options"])
        self.found = dict(zip(guider.conds, found, strict=True))
        return self.x


@pytest.fixture
def predict():
    """One prediction of each conditioning, as a guider asks for them."""
    import comfy.samplers

    def run(model, conds: dict[str, list], x: torch.Tensor, sigma: float = 0.7):
        guider, once = comfy.samplers.CFGGuider(model), Once(x)
        guider.inner_set_conds(conds)
        guider.sample(torch.zeros_like(x), x, once, torch.tensor([sigma, 0.0]), seed=1)
        return once.found

    return run


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture(scope="session")
def files(load_module):
    return load_module(HERE / "lora_files.py")


@pytest.fixture(scope="session")
def transformers(load_module):
    return load_module(HERE / "tiny_transformers.py")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty models/loras."""
    import folder_paths

    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, "loras", ([str(tmp_path)], {".safetensors", ".pt"})
    )
    folder_paths.filename_list_cache.pop("loras", None)
    yield tmp_path
    folder_paths.filename_list_cache.pop("loras", None)


@pytest.fixture
def lora(files, folder):
    """Write a LoRA of a model: its tensors."""

    def make(name: str, network: torch.nn.Module, **how) -> dict[str, torch.Tensor]:
        found = files.tensors(network, **how)
        files.write(folder / f"{name}.safetensors", found)
        return found

    return make


@pytest.fixture
def give(pack):
    """A layer with LoRAs: give(layer, "name", 0.5) or give(layer, "name", 0.5, 1.0)."""

    def run(layer, name: str, model: float, clip: float = 0.0):
        node = pack.nodes.layer_lora.CollageLayerLora
        inputs = {"lora_name": f"{name}.safetensors", "strength_model": model}
        return node.execute(layer=layer, **inputs, strength_clip=clip).args[0]

    return run


@pytest.fixture
def make_collage(pack):
    """A canvas of 80 x 96 pixels whose layers are given as (text, left, right) in fractions."""

    def make(*layers: tuple[str, float, float], prompt: str = PROMPT, size=(96, 80)):
        core = pack.collage_core.collage.collage
        height, width = size
        made = [
            core.Layer(
                image=torch.rand(1, height, round((right - left) * width), 3),
                alpha=torch.ones(1, height, round((right - left) * width)),
                text=text,
                x=(left + right) / 2,
            )
            for text, left, right in layers
        ]
        background = torch.rand(1, height, width, 3)
        return core.Collage(
            width=width, height=height, prompt=prompt, background=background, layers=tuple(made)
        )

    return make


@pytest.fixture
def with_layers():
    return lambda collage, *layers: dataclasses.replace(collage, layers=layers)


@pytest.fixture
def whole(make_collage, with_layers, give):
    """A collage of one layer that covers the canvas and has all the words, with LoRAs."""

    def make(*loras: tuple, prompt: str = PROMPT):
        collage = make_collage((prompt, 0.0, 1.0), prompt=prompt)
        (layer,) = collage.layers
        for one in loras:
            layer = give(layer, *one)
        return with_layers(collage, layer)

    return make


@pytest.fixture
def patch(pack, model, clip):
    """Execute the node without a bias of its own: (model, positive, report, negative)."""

    def execute(collage, **inputs):
        node = pack.nodes.attention.MaskedCrossAttentionPatch
        given = {"model": model, "clip": clip, **WIDGETS, "strength": 0.0, **inputs}
        return node.execute(collage=collage, **given).args

    return execute


@pytest.fixture
def loader(clip):
    """ComfyUI's Load LoRA: (model, clip) of the tensors of a LoRA."""
    import comfy.sd

    def load(model, tensors, strength_model: float, strength_clip: float = 0.0, clip=clip):
        given = (dict(tensors), strength_model, strength_clip)
        return comfy.sd.load_lora_for_models(model, clip, *given)

    return load


@pytest.fixture
def encode(clip):
    def run(text: str = PROMPT, clip=clip) -> list:
        return clip.encode_from_tokens_scheduled(clip.tokenize(text))

    return run


@pytest.fixture
def sample(encode, host_ksampler):
    def run(model, positive, **inputs) -> torch.Tensor:
        return host_ksampler(model, positive, inputs.pop("negative", encode("bad")), **inputs)

    return run
