"""Prompts that ComfyUI cannot read, and signs that it reads as words.

Such signs are those of other programs: LoRA tags, comments, choices, prompt editing.
"""

from __future__ import annotations

import math
import re

from ..errors import CollageError, quoted
from .syntax import DEEPEST, read_prompt, weight_texts

LONGEST_PROMPT = 10_000  # characters

# what it looks like -> what to do instead; the first that fits a place counts
SIGNS = (
    (r"<(?:lora|lyco|locon|loha|hypernet|ti):[^<>]*>", "load the file with a Load LoRA node"),
    (r"//[^\n]*|/\*.*?\*/", "only ComfyUI's page takes comments out of a prompt; delete it"),
    (r"\{[^{}]*\}", "only ComfyUI's page chooses one of {a|b}; choose before you queue the prompt"),
    (r"(?<!\w)__[^\W_][\w/*.-]*?__(?!\w)", "write one word of the list in its place"),
    (r"\[[^\[\]|]*:\s*[\d.]+\s*\]", "ConditioningSetTimestepRange changes prompts on the way"),
    (r"\[[^\[\]]*\|[^\[\]]*\]", "choose one of the words"),
    (r"\[[^\[\]]+\]", "for less weight write (word:0.9)"),
    (r"(?<=\w)(?:\+{2,}|-{2,})(?!\S)|\)[+-]+(?!\S)", "for another weight write (word:1.2)"),
    (r"(?<!\S)--[a-z]+\b|(?<=\S)::\s*-?[\d.]+", "set it on a node"),
)
CAPITALS = (  # words in a prompt that is written in capitals
    (r"\bBREAK\b", "leave it out: a long prompt goes on in the next 75 tokens by itself"),
    (r"\bAND\b", "combine prompts with ConditioningCombine, or write and"),
)


def check_prompt(prompt: str, where: str = "CollageStack, input prompt") -> None:
    """Raise CollageError for what ComfyUI's prompt reader fails on or reads as nonsense."""
    if len(prompt) > LONGEST_PROMPT:
        problem = f"has {len(prompt)} characters. Use at most {LONGEST_PROMPT}"
    elif _depth(prompt) > DEEPEST:
        problem = f"has more than {DEEPEST} parentheses inside each other. Take some out"
    elif not all(one.name for one in read_prompt(prompt).embeddings):
        problem = 'has an "embedding:" without a name. Write the name directly after the colon'
    elif strange := [w for w in weight_texts(prompt) if not math.isfinite(float(w))]:
        problem = f"has the weight {strange[0]}. Use a number such as 1.2"
    else:
        return
    raise CollageError(f"{where}: {quoted(prompt)} {problem}.")


def _depth(prompt: str) -> int:
    """The most parentheses that are open at once, escaped ones included."""
    depth = deepest = 0
    for char in prompt:
        depth = max(depth + (char == "(") - (char == ")"), 0)
        deepest = max(deepest, depth)
    return deepest


def foreign_signs(text: str) -> list[str]:
    """One sentence for each kind of sign in a text; it quotes the first of its kind."""
    for named in read_prompt(text).embeddings:
        text = text[: named.start] + " " * (named.end - named.start) + text[named.end :]
    found = []
    for pattern, instead in (*SIGNS, *(() if text.isupper() else CAPITALS)):
        sign = re.compile(pattern, re.DOTALL | re.IGNORECASE if "lora" in pattern else re.DOTALL)
        if match := sign.search(text):
            found.append(f"{quoted(match[0])} has no meaning in ComfyUI: {instead}")
            text = sign.sub(" ", text)
    return found
