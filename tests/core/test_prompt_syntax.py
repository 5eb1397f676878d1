"""Which characters of a prompt are words and which are weight syntax."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collage_core.prompt.syntax import read_prompt, split_words, weight_texts

WEIGHTED = st.lists(
    st.sampled_from(["(", ")", "((", "))", "\\", "\\(", "\\)", ":", "1.3", ":1.3)", "a", " "]),
    max_size=30,
).map("".join)


def literals(prompt: str) -> list[str]:
    return [prompt[start:end] for start, end in read_prompt(prompt).literals]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", []),
        ("a cat", ["a cat"]),
        ("a (cat) b", ["a ", "cat", " b"]),
        ("a (cat:1.3) b", ["a ", "cat", " b"]),
        ("((a) b:0.5)c", ["a", " b", "c"]),
        ("(a:1.2 )", ["a"]),  # Python reads "1.2 " as a number
        ("(a:-.5e-1)(b:inf)(c:1_0)", ["a", "b", "c"]),
        ("(a:b)", ["a:b"]),
        ("(a:1:2)", ["a:1"]),
        ("(:1.3)", [":1.3"]),  # a colon that comes first is a character
        ("()( )", [" "]),
        (r"\(a\)", [r"\(a\)"]),
        (r"(a\):1.3)", [r"a\)"]),
        (r"(a\:1.3)", ["a\\"]),
        ("(a", ["(a"]),
        ("a)", ["a)"]),
        ("a) (b)", ["a) (b)"]),  # the first one shifts the partners of the others
        ("a) ((b) c", ["a) (", "b", " c"]),
        ("(a (b", ["(a (b"]),
    ],
)
def test_only_weight_syntax_is_left_out(prompt: str, expected: list[str]):
    assert literals(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "weights"),
    [
        ("a cat", []),
        ("((a) b: 0.5 )c (d:inf)", ["0.5", "inf"]),
        ("((a:2):1_0) (b:1__0)", ["2", "1_0"]),
        ("(:1.3)", []),
        ("a:1.3)", []),
        (r"(a\):1.3)", ["1.3"]),
        (r"\(a:1.3\)", []),
    ],
)
def test_weights_are_those_that_comfyui_reads(prompt: str, weights: list[str]):
    assert weight_texts(prompt) == weights
    plain = prompt.replace("(", "").replace(")", "").replace("\\", "")
    words = "".join(prompt[word.start : word.end] for word in split_words(prompt))
    assert words.count(":") == plain.count(":") - len(weights)


def test_parentheses_of_any_depth_are_read():
    deep = "(" * 3000 + "cat" + ")" * 3000
    assert [word.key for word in split_words(deep)] == ["cat"]


@settings(deadline=None)
@given(WEIGHTED)
def test_spans_are_in_order_and_hold_every_word(prompt: str):
    spans = read_prompt(prompt).literals
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(prompt) for start, end in spans)
    assert "".join(literals(prompt)).count("a") == prompt.count("a")


@settings(deadline=None)
@given(WEIGHTED)
def test_escaped_parentheses_are_words(prompt: str):
    escaped = prompt.replace("\\", "").replace("(", "\\(").replace(")", "\\)")
    assert literals(escaped) == ([escaped] if escaped else [])
