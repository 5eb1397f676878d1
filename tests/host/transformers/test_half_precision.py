"""In half precision the bias adds no more error than half precision itself has."""

from __future__ import annotations

import pytest
import torch

HEADS, WIDTH, SIDE, TEXT = 4, 128, 16, 64
ERROR = {torch.bfloat16: 2.2e-2, torch.float16: 4e-3}  # largest difference to float64


@pytest.fixture
def one_call(pack):
    """q, k, v of a joint attention in float32, and JointAttention with 5 regions of 4 words."""
    host, core = pack.nodes.host, pack.collage_core.attention.bias
    generator = torch.Generator().manual_seed(0)
    length = TEXT + SIDE * SIDE
    q, k, v = torch.randn(3, 1, HEADS, length, WIDTH, generator=generator)
    tokens = torch.arange(10, 30)
    membership = torch.eye(5).repeat_interleave(4, 1)
    columns = core.TokenColumns(tokens, membership, torch.tensor(1.0))
    weights = torch.rand(1, SIDE * SIDE, 5, generator=generator) - 0.5
    bias = host.attention.block.BlockBias(weights, lambda _: weights, columns)
    layout = host.models.transformers.Layout((SIDE, SIDE), TEXT, 0, length, length)
    joint = host.attention.joint.JointAttention(layout, (bias,), pictures=1)
    return q * 3, k, v, joint, weights


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_one_attention(one_call, loop, dtype: torch.dtype) -> None:
    from comfy.ldm.modules.attention import attention_pytorch

    *tensors, joint, weights = one_call
    q, k, v = (x.to(dtype) for x in tensors)
    tokens = [list(range(10 + 4 * region, 14 + 4 * region)) for region in range(5)]
    given = {"skip_reshape": True, "skip_output_reshape": True}
    exact = loop.Float64Loop((), TEXT, SIDE * SIDE, weights[0].T, tokens, [True], 1.0)
    wanted = exact.softmax(q.double(), k.double(), v.double(), None)
    found = joint(attention_pytorch, q, k, v, HEADS, **given)
    plain = attention_pytorch(q, k, v, HEADS, **given)
    assert found.dtype == dtype
    assert (found - wanted).abs().max() < ERROR[dtype]
    assert (plain - wanted).abs().max() > 20 * ERROR[dtype]


@pytest.mark.parametrize("family", ["flux", "wan"])
def test_a_model_in_bfloat16(make_case, predict, family: str) -> None:
    apart = {}
    whole, half = make_case(family, shapes={}), make_case(family, shapes={"dtype": torch.bfloat16})
    assert half.model.model.get_dtype_inference() == torch.bfloat16
    for name in ("model", "patched"):
        exact, found = (
            predict(getattr(one, name), {"positive": one.positive}, one.x, one.sigma)["positive"]
            for one in (whole, half)
        )
        apart[name] = float((exact - found).abs().max())
    assert apart["patched"] < 2 * apart["model"]
