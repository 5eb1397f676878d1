"""CollageControlNet on tiny random models, beside the host's own ControlNetApplyAdvanced."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

SETTINGS = {"strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture(scope="session")
def network(tiny):
    return tiny.tiny_control_net()


@pytest.fixture(scope="session")
def other(tiny):
    return tiny.tiny_control_net(seed=9)


@pytest.fixture
def make_collage(pack):
    """A canvas of `size` (height, width) with a soft layer left and right, one control each."""

    def make(
        *controls: float, size: tuple[int, int] = (96, 80), batch: int = 1, whole: bool = False
    ):
        core = pack.collage_core.collage.collage
        height, width = size
        generator = torch.Generator().manual_seed(11)
        layers = [
            core.Layer(
                image=torch.rand(batch, height, width // 2, 3, generator=generator),
                alpha=torch.rand(batch, height, width // 2, generator=generator),
                text="sushi",
                x=x,
                control=control,
            )
            for control, x in zip(controls or (0.25, 2.0), (0.25, 0.7), strict=True)
        ]
        if whole:  # below them layers as large as the canvas, the lowest one opaque
            image = torch.rand(5, height, width, 3, generator=generator)
            layers[:0] = [
                core.Layer(image=x[None], alpha=x[None, ..., 0].clamp(min=low), text="sushi")
                for x, low in zip(image, (1, 0, 0, 0, 0), strict=True)
            ]
        return core.Collage(
            width=width,
            height=height,
            prompt="sushi",
            background=torch.rand(1, height, width, 3, generator=generator),
            layers=tuple(layers),
        )

    return make


@pytest.fixture
def prompts(tiny) -> tuple[list, list]:
    return tiny.conditioning(seed=3), tiny.conditioning(seed=4)


@pytest.fixture
def control(pack, network, prompts):
    """Execute the node: (positive, negative, control image)."""

    def execute(collage, net=network, conditionings=prompts, **inputs):
        node = pack.nodes.control.CollageControlNet
        given = {"control_net": net, **SETTINGS, **inputs}
        names = dict(zip(("positive", "negative"), conditionings, strict=True))
        return node.execute(collage=collage, **{**names, **given}).args

    return execute


@pytest.fixture
def core_control(network, prompts):
    """The host's ControlNetApplyAdvanced: (positive, negative)."""
    import nodes

    def apply(image, net=network, conditionings=prompts, **inputs):
        settings = {**SETTINGS, **inputs}
        apply = nodes.ControlNetApplyAdvanced().apply_controlnet
        positive, negative = conditionings
        return apply(positive, negative, net, image, **settings)

    return apply


@pytest.fixture
def sample(model, host_ksampler):
    """The host's KSampler on an empty latent."""
    return lambda conditionings, used=model, **inputs: host_ksampler(
        used, *conditionings[:2], **inputs
    )


@dataclass(frozen=True)
class Call:
    """One call of the model: positive (0) or negative (1) of each chunk, what control added."""

    rows: list[int]
    sigma: float
    control: dict[str, list] | None


@pytest.fixture
def record(model, sample):
    """Sample, and give what control added in every call, before the model uses it up."""

    def run(conditionings, used=model, **inputs) -> list[Call]:
        calls: list[Call] = []

        def watch(apply_model, args):
            control = args["c"].get("control")
            if control is not None:
                control = {
                    key: [x if x is None else x.clone() for x in found]
                    for key, found in control.items()
                }
            calls.append(Call(args["cond_or_uncond"], args["timestep"][0].item(), control))
            return apply_model(args["input"], args["timestep"], **args["c"])

        watched = used.clone()
        watched.set_model_unet_function_wrapper(watch)
        sample(conditionings, watched, **{"steps": 1, **inputs})
        assert calls
        return calls

    return run


@pytest.fixture
def outputs():
    """Everything that control added in a call, in the order of the host's dictionary."""

    def flat(call: Call) -> list[torch.Tensor]:
        assert call.control is not None
        found = [x for key in call.control.values() for x in key if x is not None]
        assert found
        return found

    return flat


@pytest.fixture
def weights_by_loop():
    """What the issue asks for, cell by cell: [pictures, 1, *size] for a block of `size` cells."""

    def loop(collage, cells: tuple[int, int], size: tuple[int, int], base: float = 0.0):
        visible = collage.composite.visible_alpha.double()
        pixels = torch.full_like(visible[:, 0], base)
        for index, layer in enumerate(collage.shown):
            pixels += (layer.control - base) * visible[:, index]
        side = 1
        while -(-cells[0] // side) > size[0] or -(-cells[1] // side) > size[1]:
            side *= 2
        side *= 8
        weights = torch.empty(len(pixels), 1, *size)
        for row in range(size[0]):
            for column in range(size[1]):
                own = pixels[:, row * side : (row + 1) * side, column * side : (column + 1) * side]
                weights[:, 0, row, column] = own.mean((1, 2))
        return weights

    return loop
