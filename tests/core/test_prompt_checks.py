"""Prompts that ComfyUI's reader would choke on or read as nonsense, and those it would not."""

from __future__ import annotations

import pytest

from collage_core.errors import CollageError
from collage_core.phrases import LONGEST_PROMPT, check_prompt


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        ("x" * (LONGEST_PROMPT + 1), f"at most {LONGEST_PROMPT}"),
        ("a embedding: ", "without a name"),
        ("(embedding:)", "without a name"),
        ("embedding: embedding:x", "without a name"),
        ("(fox:nan)", "weight nan"),
        ("(fox: -Infinity)", "weight -Infinity"),
        ("(fox:1e999)", "weight 1e999"),
    ],
)
def test_prompts_that_comfyui_misreads_are_refused(prompt: str, problem: str):
    with pytest.raises(CollageError, match=problem) as error:
        check_prompt(prompt)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("prompt", ["", "(", "a \\(b\\) (c:1.2)", "embedding:x y", "x" * 10_000])
def test_other_prompts_are_not(prompt: str):
    check_prompt(prompt)


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [("(" * 101 + "cat" + ")" * 101, "more than 100 parentheses"), ("(" * 5000, "more than 100")],
)
def test_parentheses_deeper_than_the_host_reads_are_refused(prompt: str, problem: str):
    with pytest.raises(CollageError, match=problem):
        check_prompt(prompt)


def test_what_only_looks_like_a_number_is_no_weight():
    check_prompt("(cat:1_) (cat:1__0) (cat:1_0)")
