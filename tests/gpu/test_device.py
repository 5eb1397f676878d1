"""The bias on the GPU: what the CPU says, in how much memory, and compiled."""

from __future__ import annotations

import functools

import pytest
import torch

pytestmark = pytest.mark.usefixtures("in_a_node")


@functools.cache
def narrow(device: torch.device, dtype: torch.dtype):
    """SD1.5 in all its blocks, a tenth as wide; the same weights on every device."""
    import comfy.model_patcher

    from demo.bench.attention.full_size import KINDS, NARROW, randomize

    kind = KINDS["sd15"]
    description = kind.description({**kind.unet, **NARROW})
    description.set_inference_dtype(dtype, None)
    model = description.get_model({}, device="cpu")
    randomize(model.diffusion_model)
    model = model.to(device, dtype)
    return comfy.model_patcher.ModelPatcher(model, load_device=device, offload_device=device)


@pytest.mark.parametrize("layers", [5, 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_the_device_says_what_the_cpu_says(rehearse, device, tell, dtype, layers) -> None:
    """Every block's attention, of the same queries and keys; half precision to its last bits."""
    from demo.bench.attention import blocks
    from demo.bench.attention.scene import Scene

    cpu = torch.device("cpu")
    answers = {}
    for place, precision in ((cpu, torch.float32), (device, torch.float32 if rehearse else dtype)):
        scene = Scene(narrow(place, precision), cells=16)
        ours = blocks.node_attention(scene, layers)
        found = []
        for shape in blocks.shapes(scene):
            q, k, v = (x.to(place, precision) for x in shape.random())
            found.append(ours(q, k, v, shape.extra_options).float().cpu())
        answers[len(answers)] = found
    apart = [
        ((a - b).abs().max() / b.abs().max()).item() for b, a in zip(*answers.values(), strict=True)
    ]
    tell("bias against the CPU", dtype=str(dtype), layers=layers, apart=max(apart))
    assert len(apart) >= 3
    assert max(apart) < (1e-3 if dtype is torch.float32 else 2e-2)


def test_the_memory_of_attention_does_not_grow_with_the_layers(rehearse, tell) -> None:
    from demo.bench.attention.full_size import KINDS, build, let_go
    from demo.bench.attention.one_call import measured, peak_bytes
    from demo.bench.attention.scene import Scene

    kind = KINDS["sd15"]
    scene = Scene(build(kind, tiny=rehearse), cells=16 if rehearse else kind.size // 8)
    scene.check(5)
    rows = [scene.unpatched(), scene.node(5), scene.node(20)]
    plain, few, many = (measured(row, scene.cells, peak_bytes) / 1e6 for row in rows)
    tell("peak MB of one call", unpatched=plain, layers_5=few, layers_20=many)
    let_go()
    assert many <= few * 1.1 + 8
    assert many <= plain * 1.5 + 64


def test_a_compiled_model_paints_the_same_and_is_compiled_once(rehearse, tell) -> None:
    from comfy.patcher_extension import WrappersMP
    from comfy_api.torch_helpers import set_torch_compile_wrapper

    from demo.bench.attention.scene import Scene
    from demo.pack import host_nodes, load_pack

    model = load_pack().nodes.host.demo_model.loader.load_all()[0]
    scene = Scene(model, cells=16 if rehearse else 32)
    row = scene.node(3)

    def graphs(executor, *args, **kwargs):
        counts.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
        return executor(*args, **kwargs)

    counts: list[int] = []
    compiled = row.model.clone()
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    part, backend = ("diffusion_model", "inductor")
    if rehearse:
        part, backend = ("diffusion_model.middle_block.1.transformer_blocks.0", "eager")
    set_torch_compile_wrapper(model=compiled, backend=backend, keys=[part])
    compiled.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "count", graphs)

    def paint(used) -> torch.Tensor:
        latent = {"samples": torch.zeros(1, 4, scene.cells, scene.cells)}
        inputs = (row.positive, row.negative, latent)
        return host_nodes().common_ksampler(used, 1, 4, 4.0, "euler", "normal", *inputs)[0][
            "samples"
        ]

    plain, found = paint(row.model), paint(compiled)
    made = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    torch._dynamo.reset()
    apart = ((found - plain).abs().max() / plain.abs().max()).item()
    tell("torch.compile", graphs=[*counts[1:], made], apart=apart)
    assert counts[1] > 0
    assert made <= counts[2] + 1, "ComfyUI compiles a few anew at the second step, without us too"
    # inductor's arithmetic is another, and random words make much of it: test_servers has real ones
    assert not rehearse or apart < 1e-4
