"""What a LoRA of a layer cannot do is refused in one sentence, with the layer and the file."""

from __future__ import annotations

import pytest
import torch

LAYER = 'of layer 1 "a red fox and a blue bear"'


@pytest.fixture
def put(files, folder):
    return lambda name, tensors: files.write(folder / f"{name}.safetensors", tensors)


def weight_of(model, name: str) -> str:
    return f"diffusion_model.{name}"


OUT = "input_blocks.1.1.transformer_blocks.0.attn1.to_q"


def made(model) -> dict[str, dict[str, torch.Tensor]]:
    name = weight_of(model, OUT)
    width = model.model.diffusion_model.get_submodule(OUT).weight.shape[0]
    low = {
        f"{name}.lora_up.weight": torch.ones(width, 4),
        f"{name}.lora_down.weight": torch.ones(4, width),
    }
    return {
        "1 of the kind DoRA": {**low, f"{name}.dora_scale": torch.ones(width, 1)},
        "1 of the kind oft": {f"{name}.oft_blocks": torch.ones(4, width // 4, width // 4)},
        "1 of the kind boft": {f"{name}.oft_blocks": torch.ones(2, 4, width // 4, width // 4)},
        "1 of the kind diff": {f"{name}.diff": torch.ones(width, width)},
        "1 of the kind glora": {
            f"{name}.a1.weight": torch.ones(4, width),
            f"{name}.a2.weight": torch.ones(width, 4),
            f"{name}.b1.weight": torch.ones(4, width),
            f"{name}.b2.weight": torch.ones(width, 4),
        },
        "1 of the kind that enlarges a weight": {
            **low, f"{name}.reshape_weight": torch.tensor([width, width]),
        },
        "1 of the module GroupNorm": {
            "diffusion_model.out.0.lora_up.weight": torch.ones(32, 4),
            "diffusion_model.out.0.lora_down.weight": torch.ones(4, 1),
        },
    }  # fmt: skip


@pytest.mark.parametrize("number", range(7))
def test_adapters_that_no_layer_can_keep(model, put, whole, patch, refused, number: int) -> None:
    kind, tensors = [*made(model).items()][number]
    put("own", tensors)
    said = refused(patch, whole(("own", 1.0)))
    assert f'the LoRA "own.safetensors" {LAYER} changes weights in ways' in said
    assert f"kept to one layer: {kind}. Choose" in said


def test_a_lora_of_another_model(model, put, whole, patch, refused) -> None:
    put("far", {"transformer.x.lora_A.weight": torch.ones(4, 8)})
    assert f"{LAYER} fits nothing of this model" in refused(patch, whole(("far", 1.0)))
    name = weight_of(model, OUT)
    near = {"lora_up": torch.ones(16, 4), "lora_down": torch.ones(4, 16)}
    put("near", {f"{name}.{part}.weight": one for part, one in near.items()})
    said = refused(patch, whole(("near", 1.0)))
    assert f'the LoRA "near.safetensors" does not fit {OUT} of this model' in said


def test_a_lora_that_fits_in_part(model, clip, files, put, whole, patch, refused) -> None:
    """Files of many families hold a part for CLIP-L, which fits others, too."""
    words = files.tensors(clip.cond_stage_model, prefix="text_encoders.")
    put("words", words)
    *_, report, _ = patch(whole(("words", 1.0, 1.0)))
    assert "fit neither" not in report
    far = files.tensors(model.model.diffusion_model, prefix="another_model.")
    put("far", words | far)
    said = refused(patch, whole(("far", 1.0, 1.0)))
    assert f"{LAYER} fits the text encoder but nothing of this model" in said
    told = f"; {len(far)} of the {len(words | far)} weights in the file fit neither"
    *_, report, _ = patch(whole(("far", 0.0, 1.0)))
    assert '! LoRA "far.safetensors": 0 in 0 modules of the model' in report
    assert told in report
    some = files.tensors(model.model.diffusion_model, only=lambda name: "attn2" in name)
    put("some", some | {"another_model.x.lora_up.weight": torch.ones(4, 4)})
    *_, report, _ = patch(whole(("some", 1.0)))
    assert f"; 1 of the {len(some) + 1} weights in the file fit neither" in report


@pytest.mark.parametrize("content", [b"", b"no tensors at all", b"\x10" + b"\0" * 7 + b"{" * 16])
def test_a_damaged_file(folder, whole, patch, refused, content: bytes) -> None:
    (folder / "own.safetensors").write_bytes(content)
    said = refused(patch, whole(("own", 1.0)))
    assert 'input collage: the LoRA "own.safetensors" cannot be read' in said
    assert said.endswith("Put a sound file into models/loras.")


def test_files_of_other_kinds_and_places(folder, make_collage, give, refused, pack) -> None:
    (layer,) = make_collage(("red fox", 0.0, 1.0)).layers
    node = pack.nodes.layer_lora.CollageLayerLora
    (folder / "pickle.pt").write_bytes(b"x")
    (folder.parent / "outside.safetensors").write_bytes(b"x")
    for name, problem in {
        "pickle.pt": "is no safetensors file",
        "../outside.safetensors": "there is no LoRA",
        str(folder.parent / "outside.safetensors"): "there is no LoRA",
        "gone.safetensors": "there is no LoRA",
    }.items():
        given = {"lora_name": name, "strength_model": 1.0, "strength_clip": 1.0}
        said = refused(node.execute, layer=layer, **given)
        assert said.startswith("CollageLayerLora, input lora_name: ")
        assert problem in said
        assert problem in refused(node.validate_inputs, **given)


def test_the_text_of_an_adapter(pack, transformers, load_module, lora, whole, patch, refused):
    """The features of Anima are made of two readings of the prompt."""
    from pathlib import Path

    encoders = load_module(Path(__file__).parents[1] / "tiny_text_encoders.py")
    clip, model = encoders.tiny_text_encoder("anima"), transformers.tiny_transformer("anima")
    lora("a", clip.cond_stage_model, prefix="text_encoders.", only=lambda name: "layers.0" in name)
    said = refused(patch, whole(("a", 1.0, 1.0)), model=model, clip=clip)
    assert "Set strength_clip of Collage Layer LoRA to 0." in said
    patch(whole(("a", 1.0, 0.0)), model=model, clip=clip)
    lora("b", model.model.diffusion_model, only=lambda name: name.startswith(("llm", "blocks.0.")))
    *_, report, _ = patch(whole(("b", 1.0, 0.0)), model=model, clip=clip)
    assert "modules of its text adapter stay as they are" in report


def test_a_changed_file_is_read_again(lora, folder, pack, model) -> None:
    import os

    node = pack.nodes.layer_lora.CollageLayerLora
    given = {"layer": None, "lora_name": "a.safetensors", "strength_model": 1, "strength_clip": 1}
    absent = node.fingerprint_inputs(**given)
    lora("a", model.model.diffusion_model)
    first = node.fingerprint_inputs(**given)
    os.utime(folder / "a.safetensors", ns=(1, 1))
    assert len({absent, first, node.fingerprint_inputs(**given)}) == 3
