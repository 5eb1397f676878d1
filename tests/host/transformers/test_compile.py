"""Under torch.compile the picture is the same, and later steps compile nothing again."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close


def in_pytorch(_func, *args, **kwargs):
    """ComfyUI's own attention on the CPU asks for free memory, which no graph can hold."""
    from comfy.ldm.modules import attention

    return attention.attention_pytorch(*args, **kwargs)


def graphs_at_each_call(model, backend, keys):
    """A clone compiled as the host's node does it, and its graphs before each call."""
    from comfy.patcher_extension import WrappersMP
    from comfy_api.torch_helpers import set_torch_compile_wrapper

    counts: list[int] = []

    def note(executor, *args, **kwargs):
        counts.append(backend.graphs)
        return executor(*args, **kwargs)

    clone = model.clone()
    clone.model_options["transformer_options"]["optimized_attention_override"] = in_pytorch
    set_torch_compile_wrapper(model=clone, backend=backend, keys=keys)
    clone.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "count", note)
    return clone, counts


def compiled(model, backend):
    """A clone compiled as a whole as the host's node does it."""
    return graphs_at_each_call(model, backend, WHOLE)[0]


WHOLE = ["diffusion_model"]
BLOCKS = [f"diffusion_model.double_blocks.{number}" for number in (0, 1)]


@pytest.mark.parametrize(
    ("family", "keys", "shapes"),
    [
        ("flux", WHOLE, {"depth": 1, "depth_single_blocks": 1}),
        ("wan", WHOLE, {"num_layers": 1}),
        ("flux", BLOCKS, {}),
    ],
    ids=["joint", "cross", "block by block"],
)
def test_no_step_after_the_first_compiles_the_bias_again(
    make_case, host_ksampler, backend, family: str, keys: list[str], shapes: dict
) -> None:
    """Nor does a second picture, and the bias breaks no graph."""
    case = make_case(family, shapes=shapes)
    given = {"cells": tuple(case.x.shape[-2:]), "steps": 3}
    plain, _ = graphs_at_each_call(case.model, backend, keys)
    host_ksampler(plain, case.negative, case.negative, **{**given, "steps": 1})
    unpatched = backend.graphs
    torch._dynamo.reset()
    backend.graphs = 0
    model, counts = graphs_at_each_call(case.patched, backend, keys)
    found = host_ksampler(model, case.positive, case.negative, **given)
    host_ksampler(model, case.positive, case.negative, **{**given, "steps": 2, "seed": 6})
    assert counts[1] > 0
    assert backend.graphs <= counts[1] + 1
    assert counts[1] <= unpatched
    wanted = host_ksampler(case.patched, case.positive, case.negative, **given)
    assert_close(found, wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", ["flux", "wan"])
def test_a_model_that_was_compiled_before_the_patch(
    make_case, pack, host_ksampler, backend, family: str
) -> None:
    """The host puts the compiled network in place before our wrapper looks at the model."""
    case = make_case(family)
    given = {"cells": tuple(case.x.shape[-2:]), "steps": 2}
    patched = pack.nodes.host.attention.patch.patch_model(compiled(case.model, backend))
    found = host_ksampler(patched, case.positive, case.negative, **given)
    wanted = host_ksampler(case.patched, case.positive, case.negative, **given)
    assert backend.graphs > 0
    assert_close(found, wanted, atol=1e-4, rtol=1e-4)
