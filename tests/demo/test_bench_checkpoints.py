"""ComfyUI's loaders take the random files for what they stand for."""

from __future__ import annotations

import comfy.model_detection
import comfy.sd
import pytest

from demo.bench.checkpoints import random_transformers
from demo.bench.checkpoints.command import smaller
from demo.examples.variants import FILES, VARIANTS
from launcher.figures import OTHER_MODELS

NETWORKS = {
    "flux1-dev.safetensors": "Flux",
    "z_image_turbo_bf16.safetensors": "ZImage",
    "qwen_image_fp8_e4m3fn.safetensors": "QwenImage",
}
ENCODERS = {
    "clip_l.safetensors": "CLIP_L",
    "t5xxl_fp16.safetensors": "T5_XXL",
    "qwen_3_4b.safetensors": "QWEN3_4B",
    "qwen_2.5_vl_7b_fp8_scaled.safetensors": "QWEN25_7B",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_detected(name: str) -> None:
    weights = random_transformers.BUILT[name]().state_dict()
    config = comfy.model_detection.model_config_from_unet(weights, "")
    assert type(config).__name__ == NETWORKS[name]


@pytest.mark.parametrize("name", ENCODERS)
def test_a_text_encoder_is_detected(name: str) -> None:
    weights = random_transformers.BUILT[name]().state_dict() | random_transformers.marks(name)
    assert getattr(comfy.sd.detect_te_model(weights), "name", None) == ENCODERS[name]


def test_every_file_of_an_example_is_offered_and_built() -> None:
    loaders = [kind for variant, _ in VARIANTS.values() for kind in (variant.clip, variant.vae)]
    loaders += [variant.model for variant, _ in VARIANTS.values() if variant.clip]
    values = [value for kind in loaders if kind for value in kind[1].values()]
    files = {value for value in values if value.endswith(".safetensors")}
    assert files == set(FILES) == set(random_transformers.BUILT)


def test_the_launcher_knows_every_variant_by_its_end() -> None:
    assert [f"_{end}" for end in VARIANTS] == [*OTHER_MODELS]


def test_a_workflow_is_made_smaller_whatever_its_size() -> None:
    prompt = {
        "1": {"class_type": "CollageStack", "inputs": {"width": 1024, "height": 1024}},
        "2": {"class_type": "CollageLayer", "inputs": {"scale": 4.0}},
        "3": {"class_type": "PerLayerNoiseKSampler", "inputs": {"steps": 20, "feather": 16.0}},
    }
    small = {number: node["inputs"] for number, node in smaller(prompt, 128).items()}
    assert small == {
        "1": {"width": 128, "height": 128},
        "2": {"scale": 0.5},
        "3": {"steps": 4, "feather": 2.0},
    }
