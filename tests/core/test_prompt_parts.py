"""A prompt cut at its commas, for pictures without words of their own."""

from __future__ import annotations

import pytest

from collage_core.prompt.parts import prompt_parts
from collage_core.prompt.phrases import find_phrases


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("a blue mug, a lemon and bread", ["a blue mug", "a lemon", "bread"]),
        ("A mug; a lemon.", ["A mug", "a lemon"]),
        ("a sandbox and a handle", ["a sandbox", "a handle"]),
        ("a (blue mug:1.2), (a lemon, bread:0.9)", ["a blue mug", "a lemon", "bread"]),
        ("a (blue:1.2)  mug\nby day", ["a blue mug by day"]),
        ("a 3.5 inch disk. It", ["a 3.5 inch disk", "It"]),
        ("an ice-cream, a child's hat", ["an ice-cream", "a child's hat"]),
        ("蓝色的杯子\uff0c柠檬和面包。", ["蓝色的杯子", "柠檬和面包"]),
        ("和服\uff0c穿和服的女孩\u3001和菓子", ["和服", "穿和服的女孩", "和菓子"]),
        ("a mug,, and", ["a mug"]),
        ("", []),
        (" , ", []),
    ],
)
def test_parts_of_a_prompt(prompt: str, parts: list[str]):
    assert prompt_parts(prompt) == parts
    found = find_phrases(prompt, [*enumerate(parts, 1)])
    assert len(found.regions) == len(parts), "the prompt contains its own parts"
