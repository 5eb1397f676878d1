"""`run.py bench attention` on narrow models: it checks itself, measures and writes every number."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
WAYS = {"this node, 2 layers", "paper's loop, 2 layers", "ConditioningSetMask, 3 layers"}
RIVALS = {"ConditioningSetMask, 3 layers", "attention mask, one prompt per region, 3 layers"}


@pytest.mark.slow
def test_every_way_is_measured_at_every_shape(tmp_path: Path) -> None:
    output = tmp_path / "attention.json"
    arguments = f"--tiny --size 64 --rounds 1 --layers 2 --regions 3 --output {output}"
    command = [sys.executable, "-P", "-m", "demo.bench", "attention", *arguments.split()]
    run = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    results = json.loads(output.read_text())
    *unets, joint = results["models"]
    assert len(unets) == 2
    own = {"unpatched", "this node, 2 layers"}
    own |= {"unpatched, attention_pytorch", "this node, attention_pytorch, 2 layers"}
    assert set(joint["calls"]) == own | RIVALS | {"words apart, joined by log-sum-exp, 2 layers"}
    for ways in joint["attention"].values():
        assert {"this node, 2", "words apart, joined by log-sum-exp, 2"} <= set(ways)
        assert "attention mask, one prompt per region, 2" in ways
    for found in unets:
        assert set(found["calls"]) == {"unpatched", *WAYS}
        assert all(row["seconds"][0] > 0 for row in found["calls"].values())
        assert all(row["peak_bytes"] > 0 for row in found["calls"].values())
        for ways in found["cross_attention"].values():
            assert {"this node, 2", "paper's loop, 2", "low-rank fold, 2"} <= set(ways)
    assert run.stdout.count("was not measured") == 2, "64 x 64 is neither model's own size"


@pytest.mark.parametrize("crossed", [False, True], ids=["joint", "crossed"])
def test_words_apart_give_what_the_mask_gives(crossed: bool) -> None:
    from demo.bench.attention import joint

    shape = joint.Shape("small", 2, 32, 16, 8, crossed)
    q, k, v = (3 * x for x in shape.tensors(shape.text))
    masked, apart, plain = (
        way(q, k, v, shape.heads, skip_reshape=True)
        for way in (
            joint.node_attention(shape, 3),
            joint.attention_apart(shape, 3),
            joint.attention.attention_pytorch,
        )
    )
    assert (masked - plain).abs().max() > 0.1, "the bias does something"
    assert (masked - apart).abs().max() < 1e-4
