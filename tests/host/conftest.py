"""Tests inside ComfyUI, in this process, on the CPU: skipped where there is no ComfyUI."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

REPO = Path(__file__).absolute().parents[2]
COMFYUI = os.environ.get("COMFYUI_PATH")
SIZE = 64  # pixels a side of the pictures in `things`
FILE = "sushi.collage.zip"  # of the collage there

if COMFYUI:
    # ComfyUI reads its arguments from here on its first import; the device is decided then.
    import comfy.cli_args

    comfy.cli_args.args.cpu = True


@pytest.fixture(scope="module", autouse=True)
def _no_dead_models() -> None:
    """Drop what an earlier file loaded and no patcher stands for any more.

    The host keeps such a model in its list as long as anything holds the model itself, and its
    control networks ask for the patcher of every model in use.
    """
    if COMFYUI:
        import comfy.model_management

        loaded = comfy.model_management.current_loaded_models
        loaded[:] = [one for one in loaded if one.model is not None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what lies beside this file when there is no ComfyUI."""
    if COMFYUI:
        return
    skip = pytest.mark.skip(reason="COMFYUI_PATH is not set; start with: python3 run.py test")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def pack() -> ModuleType:
    """The pack as ComfyUI's own loader makes it; take every name of ours from here."""
    if not COMFYUI:
        pytest.skip("COMFYUI_PATH is not set; start with: python3 run.py test")
    nodes = importlib.import_module("nodes")
    assert Path(str(nodes.__file__)).parent == Path(COMFYUI), "ComfyUI must come first on sys.path"
    loaded = asyncio.run(nodes.load_custom_node(str(REPO), module_parent="custom_nodes"))
    assert loaded, "ComfyUI could not load the pack; its log says why"
    return sys.modules[str(REPO).replace(".", "_x_")]


@pytest.fixture
def node_of(pack):
    return lambda name: next(n for n in pack.nodes.NODES if n.__name__ == name)


@pytest.fixture
def refused(pack):
    """The message with which a call is refused."""

    def message(run, *args: Any, **inputs: Any) -> str:
        with pytest.raises(pack.collage_core.errors.CollageError) as error:
            run(*args, **inputs)
        return str(error.value)

    return message


@pytest.fixture(scope="session")
def load_module() -> Callable[[Path], ModuleType]:
    """Load a module beside the tests, which are no package and cannot import each other."""

    def load(path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


class Backend:
    """Runs what torch.compile has traced as it is, and counts how often it traced."""

    def __init__(self) -> None:
        self.graphs = 0

    def __call__(self, graph, _):
        self.graphs += 1
        return graph.forward


@pytest.fixture
def backend():
    torch._dynamo.reset()
    yield Backend()
    torch._dynamo.reset()


@pytest.fixture
def in_a_node() -> Iterator[None]:
    """What the host runs every node in; folders whose tests call nodes make it their own."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def tiny(load_module):
    """The module of tiny models."""
    return load_module(Path(__file__).with_name("tiny_models.py"))


@pytest.fixture(scope="session")
def model(tiny):
    return tiny.tiny_model()


@pytest.fixture(scope="session")
def clip(tiny):
    return tiny.tiny_clip()


@pytest.fixture(scope="session")
def vae(tiny):
    return tiny.tiny_vae()


@pytest.fixture(scope="session")
def make_model(tiny):
    """A tiny MODEL of another kind: the host's description by name, changes of its UNet, class."""
    import comfy.model_base
    import comfy.model_patcher
    import comfy.supported_models

    def make(description: str = "SD15", *, cls=comfy.model_base.BaseModel, kind="EPS", **unet):
        config = getattr(comfy.supported_models, description)({**tiny.UNET, **unet})
        config.unet_config.update(num_heads=-1, num_head_channels=16)
        model = cls(config, model_type=comfy.model_base.ModelType[kind], device=tiny.CPU)
        tiny.randomize(model.diffusion_model, 0)
        model.diffusion_model.out.get_submodule("2").get_parameter("weight").mul_(0.1)
        return comfy.model_patcher.ModelPatcher(
            model, load_device=tiny.CPU, offload_device=tiny.CPU
        )

    return make


@pytest.fixture(scope="module")
def things(pack, tiny, tmp_path_factory):
    """Kind of socket -> something right for it."""
    import folder_paths

    layer_node, stack_node = pack.nodes.layers.CollageLayer, pack.nodes.stack.CollageStack
    temporary = pytest.MonkeyPatch()
    for kind in ("temp", "input", "output"):
        folder = tmp_path_factory.mktemp(kind)
        temporary.setattr(f"folder_paths.{kind}_directory", str(folder))
    with torch.inference_mode():
        layer = layer_node.execute(image=torch.rand(1, 32, 32, 3), text="sushi").args[0]
        stack = {"prompt": "sushi", "width": SIZE, "height": SIZE, "background": "#969696"}
        collage = stack_node.execute(**stack, layers={"layer0": layer}).args[0]
        hidden = collage.with_layers((dataclasses.replace(layer, visible=False),))
        saved = pack.nodes.files.CollageSaveFile.execute(collage, "sushi", "collage").args[0]
    shutil.move(folder / saved, Path(folder_paths.get_input_directory(), FILE))
    yield {
        "MODEL": tiny.tiny_model(),
        "CLIP": tiny.tiny_clip(),
        "VAE": tiny.tiny_vae(),
        "CONTROL_NET": tiny.tiny_control_net(),
        "CONDITIONING": tiny.conditioning(),
        "LATENT": {"samples": torch.rand(1, 4, SIZE // 8, SIZE // 8)},
        "IMAGE": torch.rand(1, SIZE, SIZE, 3),
        "MASK": torch.rand(1, SIZE, SIZE),
        "COLLAGE": collage,
        "COLLAGE_LAYER": layer,
        "LAYERS": {
            "version": 1,
            "layers": [{"type": "raster", "image": torch.rand(1, 32, 32, 3), "name": "sushi"}],
        },
        "hidden": hidden,
        "COMFY_AUTOGROW_V3": {"layer0": layer},
        "BOUNDING_BOX": {"x": 0, "y": 0, "width": SIZE, "height": SIZE},
    }
    temporary.undo()


@pytest.fixture(scope="module")
def right(things) -> Callable[[Any], Any]:
    """A right value for an input of a schema."""
    values = {
        "width": SIZE, "height": SIZE, "prompt": "sushi", "text": "sushi", "layers": "1",
        "layer": "1", "file": FILE, "texts": "sushi",
    }  # fmt: skip

    def find(one: Any) -> Any:
        kind = one.get_io_type()
        if kind in things:
            return things[kind]
        options = getattr(one, "options", None)
        first = options[0] if options else "none"
        return values.get(one.id, first if getattr(one, "default", None) is None else one.default)

    return find


@pytest.fixture
def host_ksampler():
    """The samples of the host's KSampler, on an empty latent of `cells` (height, width)."""
    import nodes

    def run(model, positive, negative, *, cells=(12, 10), batch: int = 1, **inputs) -> torch.Tensor:
        channels = model.model.latent_format.latent_channels
        given = {
            "seed": 5, "steps": 2, "cfg": 4.0, "sampler_name": "euler", "scheduler": "normal",
            "latent": {"samples": torch.zeros(batch, channels, *cells)},
        }  # fmt: skip
        options = {"positive": positive, "negative": negative, **given, **inputs}
        return nodes.common_ksampler(model, **options)[0]["samples"]

    return run


@pytest.fixture
def low_memory(monkeypatch) -> None:
    """The host splits every batch into its conditionings."""
    import comfy.model_patcher

    monkeypatch.setattr(comfy.model_patcher.ModelPatcher, "get_free_memory", lambda *_: 0)


@pytest.fixture
def reverse_conds():
    """A clone of a model that is asked for negative and positive in the other order."""
    import comfy.samplers

    def other_order(args):
        found = comfy.samplers.calc_cond_batch(
            args["model"], args["conds"][::-1], args["input"], args["sigma"], args["model_options"]
        )
        return found[::-1]

    def reverse(model):
        clone = model.clone()
        clone.set_model_sampler_calc_cond_batch_function(other_order)
        return clone

    return reverse


@pytest.fixture
def in_graph(node_of):
    """Run a node as the host does, with `others` in the queued prompt and all its inputs linked
    to the one of them that is called "before"; its outputs."""
    from comfy_api.latest import io
    from comfy_execution.graph import DynamicPrompt
    from comfy_execution.utils import CurrentNodeContext

    def run(name: str, others: dict[str, Any], **inputs: Any) -> tuple[Any, ...]:
        links = {one: ["before", 0] for one in inputs}
        graph = DynamicPrompt({"own": {"class_type": name, "inputs": links}, **others})
        hidden = {"hidden_inputs": {io.Hidden.dynprompt: graph}}
        node = node_of(name).PREPARE_CLASS_CLONE(hidden)
        with CurrentNodeContext("prompt", "own"):
            return node.execute(**inputs).args

    return run
