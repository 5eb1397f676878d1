"""The demo model's structure network is a CONTROL_NET like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from demo.architecture import LATENT_CHANNELS, EdgeAdapter

MOST_BYTES = 4_000_000


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture(scope="module")
def demo_model(pack):
    with torch.inference_mode():
        return pack.nodes.demo_model.CollageDemoModel.execute().args


@pytest.fixture
def any_weights(pack, tiny, tmp_path, monkeypatch) -> Path:
    """A file of random weights in place of the shipped one."""
    path = tmp_path / "random.safetensors"
    adapter = EdgeAdapter()
    tiny.randomize(adapter, 0)
    save_file({name: value.half() for name, value in adapter.state_dict().items()}, path)
    loads(pack, monkeypatch, path)
    return path


def loads(pack, monkeypatch, path: Path) -> None:
    host = pack.nodes.host.demo_model
    monkeypatch.setattr(host.weights, "FOLDER", path.parent)
    monkeypatch.setattr(host.loader, "CONTROL_FILE", path.stem)


@pytest.fixture
def load(pack):
    return lambda: pack.nodes.demo_model.CollageDemoControlNet.execute().args[0]


def test_the_shipped_file_is_small_and_loads(pack, load) -> None:
    host = pack.nodes.host.demo_model
    file: Path = host.weights.FOLDER / f"{host.loader.CONTROL_FILE}.safetensors"
    assert file.stat().st_size <= MOST_BYTES
    assert all(value.isfinite().all() for value in load().t2i_model.state_dict().values())


@pytest.mark.parametrize("cells", [(32, 32), (33, 27), (16, 24)])
def test_the_hosts_own_node_takes_it(any_weights, load, demo_model, cells) -> None:
    """And the model takes all that it makes, on odd sides too."""
    import nodes

    model, clip, _ = demo_model
    words = clip.encode_from_tokens_scheduled(clip.tokenize("a red ball"))
    image = (torch.rand(1, 8 * cells[0], 8 * cells[1], 3) > 0.9).float()
    apply = nodes.ControlNetApplyAdvanced().apply_controlnet
    positive, negative = apply(words, words, load(), image, 1.0, 0.0, 1.0)
    found = []

    def watch(apply_model, args):
        found.append(args["c"]["control"])
        return apply_model(args["input"], args["timestep"], **args["c"])

    watched = model.clone()
    watched.set_model_unet_function_wrapper(watch)
    latent = {"samples": torch.zeros(1, LATENT_CHANNELS, *cells)}
    options = (0, 1, 4.0, "euler", "normal", positive, negative, latent)
    sampled = nodes.common_ksampler(watched, *options)[0]["samples"]
    assert sampled.isfinite().all()
    assert not found[0]["input"], "the model did not ask for every output"
    plain = nodes.common_ksampler(model, 0, 1, 4.0, "euler", "normal", words, words, latent)
    assert not torch.equal(sampled, plain[0]["samples"])


@pytest.mark.parametrize("cells", [(32, 32), (33, 27), (16, 24)])
def test_its_outputs_have_the_sizes_of_the_models_blocks(pack, demo_model, cells) -> None:
    outputs = EdgeAdapter()(torch.zeros(1, 1, 8 * cells[0], 8 * cells[1]))
    host, unet = pack.nodes.host, demo_model[0].model.diffusion_model
    shapes = [*host.models.families.skip_shapes(unet, cells)]
    assert [x is None for x in outputs["input"]] == [False, True] * 3
    host.control.checks.check_outputs(outputs, shapes)
    with pytest.raises(ValueError, match="another family"):
        host.control.checks.check_outputs({"input": outputs["input"][:-1]}, shapes)


def test_a_missing_or_broken_file_is_told_in_one_sentence(
    pack, load, any_weights, tmp_path, monkeypatch
) -> None:
    broken, strange = tmp_path / "broken.safetensors", tmp_path / "strange.safetensors"
    broken.write_bytes(b"not weights")
    save_file({"conv_in.weight": torch.zeros(1)}, strange)
    sentence = "CollageDemoControlNet: the weight file demo/weights/"
    for path in (tmp_path / "absent.safetensors", broken, strange):
        loads(pack, monkeypatch, path)
        with pytest.raises(ValueError, match=sentence):
            load()
