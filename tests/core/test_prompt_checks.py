"""Prompts that ComfyUI's reader would choke on or read as nonsense, and those it would not."""

from __future__ import annotations

import pytest

from collage_core.errors import CollageError
from collage_core.prompt.checks import LONGEST_PROMPT, check_prompt, foreign_signs


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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a cat <lora:paint:0.8>", ["<lora:paint:0.8>"]),
        ("<LyCO:x> <hypernet:y:1>", ["<LyCO:x>"]),
        ("a ball BREAK a cube", ["BREAK"]),
        ("a ball AND a cube", ["AND"]),
        ("on a __surface__ or __a/b-c__", ["__surface__"]),
        ("a [green cube:yellow cube:0.5]", ["[green cube:yellow cube:0.5]"]),
        ("a [cube::3] and [ball:0.5]", ["[cube::3]"]),
        ("a [red|blue] ball", ["[red|blue]"]),
        ("a [pale] ball", ["[pale]"]),
        ("a {red|blue} ball in {{{light}}}", ["{red|blue}"]),
        ("a ball // mine", ["// mine"]),
        ("a /* b */ ball", ["/* b */"]),
        ("a ball++ (red)-", ["++"]),
        ("ball::2 --ar 3:2", ["::2"]),
    ],
)
def test_signs_of_other_programs_are_named(text: str, found: list[str]):
    said = foreign_signs(text)
    assert [sign.split('"')[1] for sign in said] == found
    assert all("has no meaning in ComfyUI: " in sign for sign in said)


def test_every_sign_is_named_once_and_by_its_own_rule():
    prompt = (
        "a {red|blue} ball BREAK a [green cube:yellow cube:0.5] <lora:paint:0.8> on a "
        "__surface__ // no comment"
    )
    said = foreign_signs(prompt)
    assert len(said) == 6
    assert '"[green cube:yellow cube:0.5]" has no meaning in ComfyUI: Conditioning' in "\n".join(
        said
    )


@pytest.mark.parametrize(
    "text",
    [
        "a red (ball:1.2), well-lit - dark; 50/50 a:b",
        "A CAT AND A DOG. BREAK",
        "embedding:__x__ embedding:a--",
        "rock and break, Breakfast, snake_case__x, r2--d2, wide -- open, (red)-haired",
        "<3 a < b > c, 8 [",
    ],
)
def test_plain_prompts_have_no_such_signs(text: str):
    assert foreign_signs(text) == []


def test_no_prompt_takes_long_to_look_through():
    for text in ("/*", "[:1", "__a", "{|", "<lora:", "(a)+", "BREAK ", "embedding:a "):
        foreign_signs((text * LONGEST_PROMPT)[:LONGEST_PROMPT])
