"""One key for one content."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
import torch

from collage_core.storage.content_key import content_key

REPO = Path(__file__).absolute().parents[2]
HALF = torch.arange(6.0).reshape(2, 3)

DIFFERENT = {
    "a whole number": 1,
    "a number": 1.0,
    "a truth": True,
    "a word": "1",
    "bytes": b"1",
    "nothing": None,
    "a tensor": torch.tensor(1.0),
    "an empty tuple": (),
    "a tuple of two": ("a", "b"),
    "a tuple of one": ("ab",),
    "a nested tuple": (("a",), "b"),
    "an empty dict": {},
    "a dict": {"a": "b"},
    "a dict of two": {"a": 1, "b": 2},
    "another dict of two": {"a": 2, "b": 1},
    "[2, 3]": HALF,
    "[3, 2]": HALF.reshape(3, 2),
    "half precision": HALF.half(),
    "the other half precision": HALF.bfloat16(),
    "one number else": HALF + torch.eye(2, 3) * 1e-6,
}


def test_no_two_things_share_a_key():
    keys = {name: content_key(thing=thing) for name, thing in DIFFERENT.items()}
    same = [(a, b) for a, b in combinations(keys, 2) if keys[a] == keys[b]]
    assert same == []
    assert content_key(a=1) != content_key(b=1)


def test_order_of_names_memory_layout_and_kind_of_list_do_not_matter():
    first = content_key(pixels=HALF, settings={"steps": 150, "seed": 3}, words=["a", "b"])
    transposed = HALF.T.contiguous().T
    assert not transposed.is_contiguous()
    again = content_key(words=("a", "b"), settings={"seed": 3, "steps": 150}, pixels=transposed)
    assert first == again
    assert len(first) == 64


def test_the_key_is_the_same_in_another_process():
    code = (
        f"import sys; sys.path.insert(0, {str(REPO)!r})\n"
        "import torch\nfrom collage_core.storage.content_key import content_key\n"
        "print(content_key(a=torch.arange(6.0), b={'x': (1, 2.5, 'é')}))"
    )
    run = [sys.executable, "-c", code]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    assert printed == content_key(a=torch.arange(6.0), b={"x": (1, 2.5, "é")})
    # a key that changes lets everyone's embeddings be learned anew: only with a new algorithm
    assert printed.startswith("9fd3a57e7afce098")


def test_a_thing_of_unknown_content_is_refused():
    with pytest.raises(TypeError, match="object has no content key"):
        content_key(a=(1, object()))
