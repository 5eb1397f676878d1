"""At every resolution a network's outputs are what the host makes of them, times the map."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch.testing import assert_close

LEVELS = {
    "channel_mult": (1, 2, 2), "num_res_blocks": [2, 2, 2], "transformer_depth": [1] * 6,
    "transformer_depth_output": [1] * 9,
}  # fmt: skip
XL = {
    **LEVELS, "context_dim": 128, "adm_in_channels": 1600, "num_classes": "sequential",
    "use_linear_in_transformer": True,
}  # fmt: skip
WIDE = {
    "model_channels": 320, "channel_mult": (1,), "num_res_blocks": [1], "transformer_depth": [0],
    "transformer_depth_output": [0, 0],
}  # fmt: skip


@pytest.fixture
def family(tiny, make_model, prompts):
    """MODEL, CONTROL_NET and prompts of a family of models or kind of network, by name."""
    import comfy.model_base

    sdxl = partial(make_model, "SDXL", cls=comfy.model_base.SDXL, **XL)
    pooled = {"pooled_output": torch.linspace(-1, 1, 64)[None]}
    long = [[[torch.cat([words, words], -1), pooled]] for ((words, _),) in prompts]

    def union():
        net = tiny.tiny_control_net(union_controlnet_num_control_type=6, **WIDE)
        net.set_extra_arg("control_type", [3])
        return net

    kinds = {
        "SD1": lambda: (make_model(), tiny.tiny_control_net(), prompts),
        "SD1, three levels": lambda: (
            make_model(**LEVELS), tiny.tiny_control_net(**LEVELS), prompts
        ),
        "SD2": lambda: (
            make_model("SD20", use_linear_in_transformer=True),
            tiny.tiny_control_net(use_linear_in_transformer=True), prompts,
        ),
        "SDXL": lambda: (sdxl(), tiny.tiny_control_net(**XL), long),
        "union": lambda: (make_model(**WIDE), union(), prompts),
        "ControlLoRA": lambda: (make_model(), tiny.tiny_control_lora(), prompts),
        "T2I adapter": lambda: (
            make_model(**LEVELS), tiny.tiny_adapter(channels=(32, 64, 64)), prompts
        ),
        "T2I adapter for SDXL": lambda: (
            sdxl(), tiny.tiny_adapter(channels=(32, 64, 64), xl=True), long
        ),
    }  # fmt: skip
    return lambda name: kinds[name]()


KINDS = [
    "SD1", "SD1, three levels", "SD2", "SDXL", "union", "ControlLoRA", "T2I adapter",
    "T2I adapter for SDXL",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_output_is_weighed(
    family, control, core_control, record, outputs, make_collage, weights_by_loop, kind
) -> None:
    """On a canvas of 65 x 9 cells, which are 33 x 5 and 17 x 3 further down."""
    used, net, prompts = family(kind)
    collage, cells = make_collage(size=(520, 72)), (65, 9)
    *mine, image = control(collage, net, prompts, base_control=0.5)
    (ours,) = record(mine, used, cells=cells)
    (hosts,) = record(core_control(image, net, prompts), used, cells=cells)
    sizes = set()
    for x, plain in zip(outputs(ours), outputs(hosts), strict=True):
        size = tuple(x.shape[-2:])
        weights = weights_by_loop(collage, cells, size, base=0.5)
        assert_close(x, plain * weights, atol=1e-5, rtol=1e-4)
        assert plain.abs().max() > 1e-2
        sizes.add(size)
    assert sizes <= {(65, 9), (33, 5), (17, 3)}
    assert len(sizes) == {"union": 1, "SD1": 2, "SD2": 2, "ControlLoRA": 2}.get(
        kind, 2 if "adapter for" in kind else 3
    )


@pytest.mark.parametrize("kind", ["SD1", "ControlLoRA", "T2I adapter", "SDXL"])
def test_control_1_all_over_is_the_host_to_the_bit(
    family, control, core_control, sample, make_collage, kind
) -> None:
    """Whatever rounding leaves of the sum of soft visible masks."""
    used, net, prompts = family(kind)
    collage = make_collage(1.0, 1.0, whole=True)
    assert (collage.composite.visible_alpha.sum(1) != 1).any()
    *mine, image = control(collage, net, prompts)
    found = sample(mine, used)
    assert torch.equal(found, sample(core_control(image, net, prompts), used))
    assert not torch.equal(found, sample(prompts, used))


def test_strength_and_schedule_are_the_hosts(
    control, core_control, sample, record, make_collage
) -> None:
    settings = {"strength": 0.7, "start_percent": 0.3, "end_percent": 0.6}
    *mine, image = control(make_collage(1.0, 1.0, whole=True), **settings)
    hosts = core_control(image, **settings)
    assert torch.equal(sample(mine, steps=8), sample(hosts, steps=8))
    acts = [call.control is not None for call in record(mine, steps=8)]
    assert acts == [call.control is not None for call in record(hosts, steps=8)]
    assert set(acts) == {True, False}


def test_a_larger_latent_of_the_same_proportions_is_weighed_alike(
    control, core_control, record, outputs, make_collage
) -> None:
    """As in a second pass at a higher resolution."""
    collage = make_collage(2.0, 2.0, whole=False)
    *mine, image = control(collage, base_control=2.0)
    cells = {"cells": (24, 20)}
    for x, plain in zip(
        outputs(record(mine, **cells)[0]),
        outputs(record(core_control(image), **cells)[0]),
        strict=True,
    ):
        assert_close(x, 2 * plain)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_what_it_is(
    tiny, make_model, control, record, outputs, make_collage, dtype
) -> None:
    net = tiny.tiny_control_net(dtype=dtype)
    net.control_model.to(dtype)
    mine = control(make_collage(), net)
    for x in outputs(record(mine, make_model(dtype=dtype))[0]):
        assert x.dtype == dtype
        assert x.isfinite().all()
