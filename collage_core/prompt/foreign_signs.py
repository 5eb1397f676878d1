"""Signs that mean something to other programs and nothing to ComfyUI, which reads them as words."""

from __future__ import annotations

import re

from ..errors import quoted
from .weighted_text import embeddings

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


def foreign_signs(text: str) -> list[str]:
    """A sentence for each kind of sign in a text, with the first of its kind."""
    for named in embeddings(text):
        text = text[: named.start] + " " * (named.end - named.start) + text[named.end :]
    found = []
    for pattern, instead in (*SIGNS, *(() if text.isupper() else CAPITALS)):
        sign = re.compile(pattern, re.DOTALL | re.IGNORECASE if "lora" in pattern else re.DOTALL)
        if match := sign.search(text):
            found.append(f"{quoted(match[0])} has no meaning in ComfyUI: {instead}")
            text = sign.sub(" ", text)
    return found
